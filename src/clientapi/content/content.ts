// Checks of event content that the schema of an endpoint cannot make, by event type.

import type { RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { ClientapiContext } from '../context.ts';
import { checkCanonicalAlias } from './canonical-alias.ts';
import { checkPowerLevels } from './power-levels.ts';

export interface EventContent {
  readonly roomId: RoomId;
  readonly type: string;
  readonly stateKey?: string;
  readonly content: JsonObject;
}

/** Throws M_BAD_JSON, M_INVALID_PARAM, M_BAD_ALIAS. */
export async function checkContent(
  context: Pick<ClientapiContext, 'roomserver'>,
  event: EventContent,
): Promise<void> {
  if (event.stateKey === undefined) return;
  if (event.type === 'm.room.power_levels') checkPowerLevels(event.content);
  if (event.type === 'm.room.canonical_alias') await checkCanonicalAlias(context, event);
}
