// POST /keys/device_signing/upload.

import { jsonObject, type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { type AuthData, authData } from '../auth-data.ts';
import type { ClientapiContext } from '../context.ts';
import { PASSWORD_FLOW, withInteractiveAuth } from '../interactive-auth.ts';
import { usersVisible } from '../visible.ts';
import { withoutUndefined } from '../without-undefined.ts';

interface Upload {
  readonly userId: UserId;
  readonly keys: {
    readonly master?: JsonObject;
    readonly self_signing?: JsonObject;
    readonly user_signing?: JsonObject;
  };
}

export function uploadCrossSigningKeys(context: ClientapiContext): Route {
  return route({
    operationId: 'uploadCrossSigningKeys',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3,unstable}/keys/device_signing/upload'],
    auth: 'user',
    rateLimit: 'login',
    errorStatus: { M_UNKNOWN: 400 },
    body: Type.Object({
      master_key: Type.Optional(jsonObject),
      self_signing_key: Type.Optional(jsonObject),
      user_signing_key: Type.Optional(jsonObject),
      auth: authData,
    }),
    handler: async ({ requester: { userId }, body }) => {
      const keys = withoutUndefined({
        master: body.master_key,
        self_signing: body.self_signing_key,
        user_signing: body.user_signing_key,
      });
      return await upload(context, { userId, keys }, body.auth);
    },
  });
}

/** Who sets keys for the first time, or the same again, need not prove herself. */
async function upload(context: ClientapiContext, request: Upload, auth: AuthData | undefined) {
  const { isAuthRequired } = await context.userserver.queryCrossSigningUpload(request);
  const perform = async (isAuthenticated: boolean) => {
    const upload = { ...request, isAuthenticated };
    await usersVisible(context, await context.userserver.performUploadCrossSigningKeys(upload));
    return {};
  };
  if (!isAuthRequired) return await perform(false);
  const operation = {
    operation: 'uploadCrossSigningKeys',
    userId: request.userId,
    flows: PASSWORD_FLOW,
    request: { ...request.keys },
    auth,
  };
  return await withInteractiveAuth(context, operation, () => perform(true));
}
