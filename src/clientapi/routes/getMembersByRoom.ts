// GET /rooms/{roomId}/members.

import { roomId } from '../../http/identifier-parameters.ts';
import { oneOf, optional, text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { viewerOf } from '../viewer.ts';
import { withoutUndefined } from '../without-undefined.ts';

const membership = optional(oneOf('join', 'invite', 'knock', 'leave', 'ban'));

export function getMembersByRoom({ syncserver }: ClientapiContext): Route {
  return route({
    operationId: 'getMembersByRoom',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/members'],
    auth: 'guest',
    params: { roomId: roomId() },
    query: { at: optional(text()), membership, not_membership: membership },
    handler: async ({ requester, params: { roomId }, query }) =>
      await syncserver.members({
        ...withoutUndefined({
          at: query.at,
          membership: query.membership,
          notMembership: query.not_membership,
        }),
        viewer: viewerOf(requester),
        roomId,
      }),
  });
}
