// What both forms of joining a room do.

import type { Static } from 'typebox';
import { jsonObject, type Requester } from '../http/route.ts';
import { Type } from '../json-schema.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { ClientapiContext } from './context.ts';
import { followUpgrade } from './follow-upgrade.ts';
import { memberContentOf } from './member-content.ts';
import { memberProfile } from './member-profile.ts';
import { roomsVisible } from './visible.ts';
import { withoutUndefined } from './without-undefined.ts';

export const joinBody = Type.Object({
  reason: Type.Optional(Type.String()),
  third_party_signed: Type.Optional(jsonObject),
});

interface Join {
  readonly roomIdOrAlias: string;
  readonly serverNames: readonly ServerName[];
  readonly body: Static<typeof joinBody>;
}

/** The body of the answer. */
export async function performJoin(
  context: ClientapiContext,
  { userId, isGuest }: Requester,
  { roomIdOrAlias, serverNames, body }: Join,
): Promise<object> {
  const profile = await memberProfile(context, userId);
  const joined = await context.roomserver.performJoin(
    withoutUndefined({
      roomIdOrAlias,
      userId,
      isGuest,
      serverNames,
      content: { ...profile, ...memberContentOf(body as JsonObject) },
      thirdPartySigned: body.third_party_signed,
    }),
  );
  await followUpgrade(context, { roomId: joined.roomId, userId });
  await roomsVisible(context, joined);
  return { room_id: joined.roomId };
}
