// POST /keys/upload.

import { type Route, route } from '../../http/route.ts';
import { keysByName } from '../../http/wanted-keys.ts';
import { Type } from '../../json-schema.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { ClientapiContext } from '../context.ts';
import { deviceOf } from '../viewer.ts';
import { usersVisible } from '../visible.ts';
import { withoutUndefined } from '../without-undefined.ts';

const deviceKeys = Type.Object({
  user_id: Type.String(),
  device_id: Type.String(),
  algorithms: Type.Array(Type.String()),
  keys: Type.Record(Type.String(), Type.String()),
  signatures: Type.Record(Type.String(), Type.Record(Type.String(), Type.String())),
});

export function uploadKeys(context: ClientapiContext): Route {
  return route({
    operationId: 'uploadKeys',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3,unstable}/keys/upload'],
    auth: 'guest',
    rateLimit: 'message',
    body: Type.Object({
      device_keys: Type.Optional(deviceKeys),
      one_time_keys: Type.Optional(keysByName),
      fallback_keys: Type.Optional(keysByName),
    }),
    handler: async ({ requester, body }) => {
      const written = await context.userserver.performUploadKeys({
        ...withoutUndefined({ deviceKeys: body.device_keys as JsonObject | undefined }),
        userId: requester.userId,
        deviceId: deviceOf(requester),
        oneTimeKeys: body.one_time_keys ?? {},
        fallbackKeys: body.fallback_keys ?? {},
      });
      await usersVisible(context, written);
      return { one_time_key_counts: written.counts.oneTimeKeys };
    },
  });
}
