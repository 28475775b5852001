// An event that a client is about to send, as far as its content is checked.

import type { RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { TransactionKey } from '../../roomserver/api.ts';

export interface EventContent {
  readonly roomId: RoomId;
  readonly type: string;
  readonly stateKey?: string;
  readonly content: JsonObject;
  readonly transaction?: TransactionKey;
}
