// Puts the roomserver together: its parts, its tables, and its interface by topic.

import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { EventLog } from '../eventlog/eventlog.ts';
import type { Logger } from '../logger.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { SigningKey } from '../protocol/signing-key.ts';
import type { RoomserverApi } from './api.ts';
import type { RoomserverConfig } from './context.ts';
import type { KeyRing } from './input/key-ring.ts';
import type { MissingEvents } from './input/missing-events.ts';
import type { RemoteRooms } from './membership/remote-rooms.ts';

export interface RoomserverOptions {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly signingKey: SigningKey;
  readonly config: RoomserverConfig;
  /** Other servers' keys; absent: only this server's own. */
  readonly keyRing?: KeyRing;
  readonly missingEvents?: MissingEvents;
  readonly remoteRooms?: RemoteRooms;
}

export interface Roomserver {
  readonly api: RoomserverApi;
  close(): Promise<void>;
}

export async function createRoomserver(_options: RoomserverOptions): Promise<Roomserver> {
  throw new Error('not written yet');
}
