// Kick, ban, unban and the like: one person's membership as another wants it.

import { roomId } from '../http/identifier-parameters.ts';
import { type Route, route } from '../http/route.ts';
import { Type } from '../json-schema.ts';
import { parseUserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { RoomserverApi } from '../roomserver/api.ts';
import type { ClientapiContext } from './context.ts';
import { identifierText } from './identifier-text.ts';
import { roomsVisible } from './visible.ts';

export const reasonBody = Type.Object({ reason: Type.Optional(Type.String()) });

const targetBody = Type.Object({
  user_id: identifierText('user-id'),
  reason: Type.Optional(Type.String()),
});

type Change = Parameters<RoomserverApi['performMembershipChange']>[0];

/** The endpoint that goes by the name of the action. */
export function moderationRoute(
  context: ClientapiContext,
  action: 'ban' | 'kick' | 'unban',
): Route {
  return route({
    operationId: action,
    method: 'POST',
    paths: [`/_matrix/client/{r0,v3}/rooms/:roomId/${action}`],
    auth: 'user',
    rateLimit: 'membership',
    params: { roomId: roomId() },
    body: targetBody,
    handler: async ({ requester, params: { roomId }, body }) =>
      await changeMembership(context, {
        roomId,
        sender: requester.userId,
        target: parseUserId(body.user_id),
        action,
        content: reasonContent(body.reason),
      }),
  });
}

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
