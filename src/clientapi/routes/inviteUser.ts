// POST /rooms/{roomId}/invite: by user id (inviteUser). By third-party identifier (inviteBy3PID), which
// shares the path, it is refused.

import { roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { MatrixError } from '../../protocol/error.ts';
import { parseUserId } from '../../protocol/identifiers.ts';
import type { ClientapiContext } from '../context.ts';
import { identifierText } from '../identifier-text.ts';
import { memberProfile } from '../member-profile.ts';
import { changeMembership, reasonContent } from '../membership-change.ts';

const body = Type.Object({
  user_id: Type.Optional(identifierText('user-id')),
  reason: Type.Optional(Type.String()),
  id_server: Type.Optional(Type.String()),
  medium: Type.Optional(Type.String()),
  address: Type.Optional(Type.String()),
});

export function inviteUser(context: ClientapiContext): Route {
  return route({
    operationId: 'inviteUser',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/invite'],
    auth: 'user',
    rateLimit: 'membership',
    errorStatus: { M_UNKNOWN: 502 },
    params: { roomId: roomId() },
    body,
    handler: async ({ requester, params: { roomId }, body: { user_id, reason, medium } }) => {
      if (user_id === undefined) throw noUser(medium);
      const target = parseUserId(user_id);
      const profile = await memberProfile(context, target);
      return await changeMembership(context, {
        roomId,
        sender: requester.userId,
        target,
        action: 'invite',
        content: { ...profile, ...reasonContent(reason) },
      });
    },
  });
}

function noUser(medium: string | undefined): MatrixError {
  return medium === undefined
    ? new MatrixError('M_MISSING_PARAM', "The key 'user_id' is missing")
    : new MatrixError('M_THREEPID_DENIED', 'Third-party identifiers cannot be invited here');
}
