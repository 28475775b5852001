// POST /pushers/set.

import type { Static } from 'typebox';
import { jsonObject, type Requester, type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { ClientapiContext } from '../context.ts';
import { deviceOf } from '../viewer.ts';

const body = Type.Object({
  pushkey: Type.String(),
  app_id: Type.String(),
  /** Null removes the pusher; all other keys are needed only to set one. */
  kind: Type.Union([Type.String(), Type.Null()]),
  app_display_name: Type.Optional(Type.String()),
  device_display_name: Type.Optional(Type.String()),
  profile_tag: Type.Optional(Type.String()),
  lang: Type.Optional(Type.String()),
  data: Type.Optional(jsonObject),
  append: Type.Optional(Type.Boolean()),
});

export function postPusher(context: ClientapiContext): Route {
  return route({
    operationId: 'postPusher',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/pushers/set'],
    auth: 'user',
    rateLimit: 'message',
    body,
    handler: async ({ requester, body }) => {
      await change(context, requester, body);
      return {};
    },
  });
}

async function change(
  { userserver }: ClientapiContext,
  requester: Requester,
  pusher: Static<typeof body>,
): Promise<void> {
  const { userId } = requester;
  if (pusher.kind === null) {
    const { app_id: appId, pushkey } = pusher;
    await userserver.performDeletePusher({ userId, appId, pushkey });
  } else {
    const deviceId = deviceOf(requester);
    await userserver.performSetPusher({ userId, deviceId, pusher: pusher as JsonObject });
  }
}
