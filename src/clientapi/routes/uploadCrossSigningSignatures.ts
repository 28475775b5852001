// POST /keys/signatures/upload.

import { jsonObject, type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { parseUserId } from '../../protocol/identifiers.ts';
import type { ClientapiContext } from '../context.ts';
import { usersVisible } from '../visible.ts';

export function uploadCrossSigningSignatures(context: ClientapiContext): Route {
  return route({
    operationId: 'uploadCrossSigningSignatures',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3,unstable}/keys/signatures/upload'],
    auth: 'user',
    rateLimit: 'message',
    body: Type.Record(Type.String(), Type.Record(Type.String(), jsonObject)),
    handler: async ({ requester: { userId }, body }) => {
      const signed = Object.fromEntries(
        Object.entries(body).map(([target, keys]) => [parseUserId(target), keys]),
      );
      const written = await context.userserver.performUploadSignatures({ userId, signed });
      await usersVisible(context, written);
      return { failures: written.failures };
    },
  });
}
