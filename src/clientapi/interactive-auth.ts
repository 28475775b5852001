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
import { withoutUndefined } from './without-undefined.ts';

export type Stage = 'm.login.dummy' | 'm.login.password';
export type Flow = readonly Stage[];

export interface Operation {
  /** The operationId. */
  readonly operation: string;
  /** Who has to prove herself; absent where nobody is signed in. */
  readonly userId?: UserId;
  readonly flows: readonly Flow[];
  /** What is remembered of the first request of a session, and must stay the same throughout it. */
  readonly request: JsonObject;
  /** As the client sent it. */
  readonly auth: AuthData | undefined;
}

/** An operation whose session the caller has found, and which may differ from the first request. */
interface Resumed extends Operation {
  readonly session: UiaSession | undefined;
}

/** For operations of somebody who is signed in: she repeats her password. */
export const PASSWORD_FLOW: readonly Flow[] = [['m.login.password']];

type Uia = Pick<ClientapiContext, 'userserver' | 'serverName'>;

/**
 * Runs `perform` once the client has proved herself; until then answers the 401. A repeated last request is answered
 * as the first time. Errors besides those of `perform`: M_FORBIDDEN, M_UNKNOWN (400), M_MISSING_PARAM.
 */
export async function withInteractiveAuth(
  context: Uia,
  operation: Operation,
  perform: () => Promise<JsonObject>,
): Promise<object | Reply> {
  const session = await findSession(context, operation);
  if (session !== undefined && !isDeepStrictEqual(session.request, operation.request)) {
    throw new MatrixError('M_FORBIDDEN', 'The session was begun for another request');
  }
  return await resumeInteractiveAuth(context, { ...operation, session }, perform);
}

/** As withInteractiveAuth, with a session that has been found. */
export async function resumeInteractiveAuth(
  context: Uia,
  { session, ...operation }: Resumed,
  perform: () => Promise<JsonObject>,
): Promise<object | Reply> {
  if (session?.result !== undefined) return session.result;
  const unproved = await prove(context, operation, session);
  if (unproved !== undefined) return unproved;
  const result = await perform();
  if (session !== undefined) {
    await context.userserver.performSetUiaResult({ session: session.session, result });
  }
  return result;
}

/** The session that `auth` names. Throws M_FORBIDDEN, M_UNKNOWN (400). */
export async function findSession(
  { userserver }: Uia,
  { operation, userId, auth }: Pick<Operation, 'operation' | 'userId' | 'auth'>,
): Promise<UiaSession | undefined> {
  if (auth?.session === undefined) return undefined;
  const { session } = auth;
  return await userserver.queryUiaSession(withoutUndefined({ session, operation, userId }));
}

/** Undefined when nothing is left to prove. */
async function prove(
  context: Uia,
  operation: Operation,
  session: UiaSession | undefined,
): Promise<Reply | undefined> {
  const { auth } = operation;
  const completed = session?.completed ?? [];
  // A stage that has been completed is not tried again, nor is one tried without a type.
  if (auth?.type === undefined || completed.includes(auth.type)) {
    const isDone = isComplete(operation, completed);
    return isDone ? undefined : await challenge(context, operation, { session });
  }
  const stage = nextStages(operation, completed).find((next) => next === auth.type);
  if (stage === undefined) {
    const error = new MatrixError('M_UNRECOGNIZED', 'This stage is not offered now');
    return await challenge(context, operation, { session, error });
  }
  const error = await attemptStage(context, operation, { ...auth, stage });
  if (error !== undefined) return await challenge(context, operation, { session, error });
  return await advance(context, { operation, stage, session });
}

/** The stages of a flow are completed in order. */
function nextStages({ flows }: Operation, completed: readonly string[]): readonly Stage[] {
  const begun = flows.filter((flow) => completed.every((stage, index) => flow[index] === stage));
  return begun.flatMap((flow) => flow.slice(completed.length, completed.length + 1));
}

/** The error to show in the 401 when the client may try again; throws what makes trying again useless. */
async function attemptStage(
  { userserver, serverName }: Uia,
  operation: Operation,
  auth: AuthData & { readonly stage: Stage },
): Promise<MatrixError | undefined> {
  if (auth.stage === 'm.login.dummy') return undefined;
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
  return await userserver.performCreateUiaSession(withoutUndefined({ operation, request, userId }));
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
