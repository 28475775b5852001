// Kick, ban, unban and the like: one person's membership as another wants it.

import { Type } from 'typebox';
import type { JsonObject } from '../protocol/json.ts';
import type { RoomserverApi } from '../roomserver/api.ts';
import type { ClientapiContext } from './context.ts';
import { identifierText } from './identifier-text.ts';
import { roomsVisible } from './visible.ts';

export const reasonBody = Type.Object({ reason: Type.Optional(Type.String()) });

export const targetBody = Type.Object({
  user_id: identifierText('user-id'),
  reason: Type.Optional(Type.String()),
});

type Change = Parameters<RoomserverApi['performMembershipChange']>[0];

/** Answers the empty body of all these endpoints. */
export async function changeMembership(
  context: Pick<ClientapiContext, 'roomserver' | 'syncserver'>,
  change: Change,
): Promise<object> {
  await roomsVisible(context, await context.roomserver.performMembershipChange(change));
  return {};
}

export function reasonContent(reason: string | undefined): JsonObject {
  return reason === undefined ? {} : { reason };
}
