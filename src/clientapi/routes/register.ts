// POST /register.

import type { Static } from 'typebox';
import { oneOf, withDefault } from '../../http/parameters.ts';
import type { Reply } from '../../http/reply.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { MatrixError } from '../../protocol/error.ts';
import { localpartOf, type UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { UserserverApi } from '../../userserver/api.ts';
import { authData } from '../auth-data.ts';
import type { ClientapiContext } from '../context.ts';
import { type Flow, findSession, resumeInteractiveAuth } from '../interactive-auth.ts';
import { deviceProperties, newDeviceOf } from '../new-device.ts';
import { sessionBody } from '../session-body.ts';
import { withoutUndefined } from '../without-undefined.ts';

const body = Type.Object({
  auth: authData,
  username: Type.Optional(Type.String()),
  password: Type.Optional(Type.String()),
  inhibit_login: Type.Optional(Type.Boolean()),
  guest_access_token: Type.Optional(Type.String()),
  ...deviceProperties,
});

type RegisterBody = Static<typeof body>;

const DUMMY_FLOW: readonly Flow[] = [['m.login.dummy']];

export function register(context: ClientapiContext): Route {
  return route({
    operationId: 'register',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/register'],
    auth: 'none',
    rateLimit: 'registration',
    errorStatus: { M_UNKNOWN: 400 },
    query: { kind: withDefault(oneOf('user', 'guest'), 'user') },
    body,
    handler: async ({ query, body: request }) =>
      query.kind === 'guest'
        ? await registerGuest(context, request)
        : await registerUser(context, request),
  });
}

/** All but the display name of the device is ignored, as the specification wants. */
async function registerGuest(context: ClientapiContext, request: RegisterBody): Promise<object> {
  const { userserver, config } = context;
  if (!config.registration.allowGuests) {
    throw new MatrixError('M_FORBIDDEN', 'Guests are not admitted here');
  }
  const { initial_device_display_name: displayName } = request;
  const device = withoutUndefined({ displayName, refreshable: false });
  return answer(
    context,
    await userserver.performRegister({ isGuest: true, inhibitLogin: false, device }),
  );
}

async function registerUser(
  context: ClientapiContext,
  request: RegisterBody,
): Promise<object | Reply> {
  const { config } = context;
  if (!config.registration.enabled) {
    throw new MatrixError('M_FORBIDDEN', 'Registration is disabled');
  }
  const { auth, ...given } = request;
  const session = await findSession(context, { operation: 'register', auth });
  if (session?.result !== undefined) return session.result;
  // Later requests of a session may leave out what the first one said, or say otherwise.
  const wanted: RegisterBody = { ...session?.request, ...given };
  const perform = await preparedRegistration(context, wanted);
  const remembered = given as JsonObject;
  const operation = {
    operation: 'register',
    flows: DUMMY_FLOW,
    request: remembered,
    auth,
    session,
  };
  return await resumeInteractiveAuth(context, operation, async () => {
    const { password } = wanted;
    if (password === undefined) {
      throw new MatrixError('M_MISSING_PARAM', "The key 'password' is missing");
    }
    return answer(context, await perform(password));
  });
}

type Registered = Awaited<ReturnType<UserserverApi['performRegister']>>;

/** Checks the name before anybody authenticates in vain; what is left to do needs only the password. */
async function preparedRegistration(
  context: ClientapiContext,
  request: RegisterBody,
): Promise<(password: string) => Promise<Registered>> {
  const { userserver } = context;
  const device = newDeviceOf(request);
  const inhibitLogin = request.inhibit_login === true;
  if (request.guest_access_token !== undefined) {
    const userId = await upgradingGuest(context, request.guest_access_token, request.username);
    return (password) => userserver.performUpgradeGuest({ userId, password, inhibitLogin, device });
  }
  const { username: localpart } = request;
  if (localpart !== undefined) await userserver.queryUsernameAvailable({ localpart });
  const registration = withoutUndefined({ localpart, inhibitLogin, device });
  return (password) => userserver.performRegister({ ...registration, password });
}

/** Throws M_FORBIDDEN unless the token is a guest's and the name is hers. */
async function upgradingGuest(
  { userserver }: ClientapiContext,
  token: string,
  username: string | undefined,
): Promise<UserId> {
  const owner = await userserver.queryAccessToken({ token });
  if (owner?.isGuest !== true || localpartOf(owner.userId) !== username) {
    throw new MatrixError('M_FORBIDDEN', 'The token is not of a guest of this name');
  }
  return owner.userId;
}

function answer({ serverName }: ClientapiContext, registered: Registered): JsonObject {
  return 'accessToken' in registered
    ? sessionBody(registered, serverName)
    : { user_id: registered.userId, home_server: serverName };
}
