// POST /rooms/{roomId}/upgrade.

import { roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { parseUserId } from '../../protocol/identifiers.ts';
import type { ClientapiContext } from '../context.ts';
import { followUpgrade } from '../follow-upgrade.ts';
import { identifierText } from '../identifier-text.ts';
import { memberProfile } from '../member-profile.ts';
import { roomsVisible } from '../visible.ts';

export function upgradeRoom(context: ClientapiContext): Route {
  return route({
    operationId: 'upgradeRoom',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/upgrade'],
    auth: 'user',
    rateLimit: 'roomCreation',
    params: { roomId: roomId() },
    body: Type.Object({
      new_version: Type.String(),
      additional_creators: Type.Optional(Type.Array(identifierText('user-id'))),
    }),
    handler: async ({ requester: { userId }, params: { roomId }, body }) => {
      const upgraded = await context.roomserver.performUpgradeRoom({
        roomId,
        userId,
        newVersion: body.new_version,
        additionalCreators: (body.additional_creators ?? []).map(parseUserId),
        profile: await memberProfile(context, userId),
      });
      const { replacementRoom } = upgraded;
      await followUpgrade(context, { roomId: replacementRoom, userId });
      await roomsVisible(context, upgraded);
      return { replacement_room: replacementRoom };
    },
  });
}
