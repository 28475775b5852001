// POST /login.

import type { Static } from 'typebox';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { Session } from '../../userserver/api.ts';
import type { ClientapiContext } from '../context.ts';
import { identifiedUser, identifierProperties } from '../login-identifier.ts';
import { deviceProperties, newDeviceOf } from '../new-device.ts';
import { sessionBody } from '../session-body.ts';

const body = Type.Object({
  type: Type.String(),
  ...identifierProperties,
  password: Type.Optional(Type.String()),
  token: Type.Optional(Type.String()),
  ...deviceProperties,
});

type LoginBody = Static<typeof body>;

export function login(context: ClientapiContext): Route {
  return route({
    operationId: 'login',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/login'],
    auth: 'none',
    rateLimit: 'login',
    errorStatus: { M_UNKNOWN: 400 },
    body,
    handler: async (request) =>
      sessionBody(await signIn(context, request.body), context.serverName),
  });
}

async function signIn(context: ClientapiContext, request: LoginBody): Promise<Session> {
  switch (request.type) {
    case 'm.login.password':
      return await signInByPassword(context, request);
    case 'm.login.token':
      return await signInByToken(context, request);
    default:
      throw new MatrixError('M_UNKNOWN', `The login type '${request.type}' is not supported`);
  }
}

async function signInByPassword(
  { userserver, serverName }: ClientapiContext,
  request: LoginBody,
): Promise<Session> {
  if (request.password === undefined) throw missing('password');
  const userId = identifiedUser(request, serverName);
  const device = newDeviceOf(request);
  return await userserver.performPasswordLogin({ userId, password: request.password, device });
}

async function signInByToken(
  { userserver }: ClientapiContext,
  request: LoginBody,
): Promise<Session> {
  if (request.token === undefined) throw missing('token');
  const device = newDeviceOf(request);
  return await userserver.performTokenLogin({ loginToken: request.token, device });
}

function missing(key: string): MatrixError {
  return new MatrixError('M_MISSING_PARAM', `The key '${key}' is missing`);
}
