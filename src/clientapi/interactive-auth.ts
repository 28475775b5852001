// User-interactive authentication (Client-Server API, section of that name): which stages an operation
// asks for, how far a session has come, and the 401 that says what is still to do.

import { isDeepStrictEqual } from 'node:util';
import { type Reply, reply } from '../http/reply.ts';
import { MatrixError } from '../protocol/error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { UiaSession } from '../userserver/api.ts';
import type { AuthData } from './auth-data.ts';
import type { ClientapiContext } from './context.ts';
import { identifiedUser } from './login-identifier.ts';

export type Stage = 'm.login.dummy' | 'm.login.password';
export type Flow = readonly Stage[];

export interface Operation {
  /** The operationId. */
  readonly operation: string;
  /** Who has to prove herself; absent where nobody is signed in. */
  readonly userId?: UserId;
  readonly flows: readonly Flow[];
  /** What must stay the same throughout a session. */
  readonly request: JsonObject;
}

type Uia = Pick<ClientapiContext, 'userserver' | 'serverName'>;

/** Undefined when the client has proved herself; else the 401 to answer. Throws M_FORBIDDEN, M_UNKNOWN. */
export async function interactiveAuth(
  context: Uia,
  operation: Operation,
  auth: AuthData | undefined,
): Promise<Reply | undefined> {
  const session =
    auth?.session === undefined ? undefined : await findSession(context, operation, auth.session);
  if (auth?.type === undefined) {
    return isComplete(operation, session?.completed ?? [])
      ? undefined
      : await challenge(context, operation, { session });
  }
  const stage = offeredStage(operation, auth.type);
  if (stage === undefined) {
    const error = new MatrixError('M_UNRECOGNIZED', 'This kind of authentication is not offered');
    return await challenge(context, operation, { session, error });
  }
  const error = await attemptStage(context, { operation, stage, auth });
  if (error !== undefined) return await challenge(context, operation, { session, error });
  return await advance(context, { operation, stage, session });
}

/** Call it once the operation has succeeded: its session is of no more use. */
export async function endInteractiveAuth(
  { userserver }: Uia,
  auth: AuthData | undefined,
): Promise<void> {
  if (auth?.session !== undefined) await userserver.performEndUiaSession({ session: auth.session });
}

async function findSession(
  { userserver }: Uia,
  { operation, userId, request }: Operation,
  session: string,
): Promise<UiaSession> {
  const found = await userserver.queryUiaSession({
    session,
    operation,
    ...(userId !== undefined && { userId }),
  });
  if (!isDeepStrictEqual(found.request, request)) {
    throw new MatrixError('M_FORBIDDEN', 'The session was begun for another request');
  }
  return found;
}

function offeredStage({ flows }: Operation, type: string): Stage | undefined {
  return flows.flat().find((stage) => stage === type);
}

/** The error to show in the 401 when the client may try again; throws what makes trying again useless. */
async function attemptStage(
  { userserver, serverName }: Uia,
  { operation, stage, auth }: { operation: Operation; stage: Stage; auth: AuthData },
): Promise<MatrixError | undefined> {
  if (stage === 'm.login.dummy') return undefined;
  const userId = identifiedUser(auth, serverName);
  if (userId !== operation.userId) {
    throw new MatrixError('M_FORBIDDEN', 'The password has to be that of the signed-in user');
  }
  if (auth.password === undefined) {
    throw new MatrixError('M_MISSING_PARAM', 'There is no password');
  }
  try {
    await userserver.checkPassword({ userId, password: auth.password });
    return undefined;
  } catch (error) {
    if (error instanceof MatrixError && error.errcode === 'M_FORBIDDEN') return error;
    throw error;
  }
}

/** A flow of one stage is passed without a session too: clients may know the flows by heart. */
async function advance(
  context: Uia,
  {
    operation,
    stage,
    session,
  }: { operation: Operation; stage: Stage; session: UiaSession | undefined },
): Promise<Reply | undefined> {
  if (isComplete(operation, [...(session?.completed ?? []), stage])) {
    if (session !== undefined) await complete(context, session.session, stage);
    return undefined;
  }
  const { session: id } = session ?? (await createSession(context, operation));
  return await challenge(context, operation, { session: await complete(context, id, stage) });
}

async function complete({ userserver }: Uia, session: string, stage: Stage): Promise<UiaSession> {
  return await userserver.performCompleteUiaStage({ session, stage });
}

function isComplete({ flows }: Operation, completed: readonly string[]): boolean {
  return flows.some((flow) => flow.every((stage) => completed.includes(stage)));
}

async function createSession(
  { userserver }: Uia,
  { operation, userId, request }: Operation,
): Promise<{ session: string }> {
  return await userserver.performCreateUiaSession({
    operation,
    request,
    ...(userId !== undefined && { userId }),
  });
}

async function challenge(
  context: Uia,
  operation: Operation,
  { session, error }: { session?: UiaSession | undefined; error?: MatrixError },
): Promise<Reply> {
  const { session: id } = session ?? (await createSession(context, operation));
  const body = {
    ...(error !== undefined && { errcode: error.errcode, error: error.message }),
    completed: session?.completed ?? [],
    flows: operation.flows.map((stages) => ({ stages })),
    params: {},
    session: id,
  };
  return reply({ status: 401, body });
}
