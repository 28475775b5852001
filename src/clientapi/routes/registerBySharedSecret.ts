// POST /_synapse/admin/v1/register: accounts made by who knows the shared secret.

import type { Static } from 'typebox';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { sessionBody } from '../session-body.ts';
import { checkMac } from '../shared-secret.ts';
import { withoutUndefined } from '../without-undefined.ts';

const body = Type.Object({
  nonce: Type.String(),
  username: Type.String(),
  password: Type.String(),
  displayname: Type.Optional(Type.String()),
  admin: Type.Optional(Type.Boolean()),
  user_type: Type.Optional(Type.String()),
  mac: Type.String(),
});

export function registerBySharedSecret(context: ClientapiContext): Route {
  return route({
    operationId: 'registerBySharedSecret',
    method: 'POST',
    paths: ['/_synapse/admin/v1/register'],
    auth: 'none',
    rateLimit: 'registration',
    body,
    handler: async ({ body: request }) => {
      checkSecret(context, request);
      const registered = await context.userserver.performRegister(
        withoutUndefined({
          localpart: request.username,
          password: request.password,
          displayname: request.displayname,
          isAdmin: request.admin === true,
          inhibitLogin: false,
          device: { refreshable: false },
        }),
      );
      return 'accessToken' in registered
        ? sessionBody(registered, context.serverName)
        : { user_id: registered.userId };
    },
  });
}

/** Throws M_FORBIDDEN, M_INVALID_PARAM. */
function checkSecret(
  { config, nonces }: ClientapiContext,
  { user_type: userType, admin = false, ...request }: Static<typeof body>,
): void {
  const secret = config.registration.sharedSecret;
  if (secret === undefined) {
    throw new MatrixError('M_FORBIDDEN', 'Registration by shared secret is disabled');
  }
  if (!nonces.redeem(request.nonce)) {
    throw new MatrixError('M_INVALID_PARAM', 'The nonce is unknown or has expired');
  }
  checkMac(secret, { ...request, admin, userType });
}
