import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isReply } from '../http/reply.ts';
import { MatrixError } from '../protocol/error.ts';
import type { ServerName, UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { UiaSession } from '../userserver/api.ts';
import type { AuthData } from './auth-data.ts';
import type { ClientapiContext } from './context.ts';
import {
  type Flow,
  type Operation,
  PASSWORD_FLOW,
  withInteractiveAuth,
} from './interactive-auth.ts';

const alice = '@alice:example.org' as UserId;
const proof = { type: 'm.login.password', password: 'right', user: 'alice' };

interface StoredSession extends UiaSession {
  readonly operation: string;
}

/** Sessions as the userserver keeps them; the password is `right`. */
function fakeContext(): Pick<ClientapiContext, 'userserver' | 'serverName'> {
  const sessions = new Map<string, StoredSession>();
  const change = (session: string, changes: Partial<StoredSession>): StoredSession => {
    const changed = { ...(sessions.get(session) as StoredSession), ...changes };
    sessions.set(session, changed);
    return changed;
  };
  const userserver = {
    performCreateUiaSession: async ({ operation, request }: Operation) => {
      const session = `s${sessions.size}`;
      sessions.set(session, { session, operation, request, completed: [] });
      return { session };
    },
    queryUiaSession: async ({ session }: { session: string }) => {
      const found = sessions.get(session);
      if (found === undefined) throw new MatrixError('M_UNKNOWN', 'unknown session');
      return found;
    },
    performCompleteUiaStage: async ({ session, stage }: { session: string; stage: string }) =>
      change(session, { completed: [...(sessions.get(session)?.completed ?? []), stage] }),
    performSetUiaResult: async ({ session, result }: { session: string; result: JsonObject }) => {
      change(session, { result });
    },
    checkPassword: async ({ password }: { password: string }) => {
      if (password !== 'right') throw new MatrixError('M_FORBIDDEN', 'wrong password');
    },
  };
  return {
    userserver: userserver as unknown as ClientapiContext['userserver'],
    serverName: 'example.org' as ServerName,
  };
}

interface Outcome {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of both shapes
  readonly body: any;
}

/** Runs operations and counts how often they were performed. */
function harness({
  flows = PASSWORD_FLOW,
  fail = 0,
}: {
  flows?: readonly Flow[];
  fail?: number;
} = {}) {
  const context = fakeContext();
  const performed: string[] = [];
  let failures = fail;
  const attempt = async (auth?: AuthData, request: JsonObject = {}): Promise<Outcome> => {
    const operation = { operation: 'op', userId: alice, flows, request, auth };
    const outcome = await withInteractiveAuth(context, operation, async () => {
      if (failures-- > 0) throw new MatrixError('M_WEAK_PASSWORD', 'not yet');
      performed.push('done');
      return { times: performed.length };
    });
    return isReply(outcome)
      ? { status: outcome.status ?? 200, body: outcome.body }
      : { status: 200, body: outcome };
  };
  return { attempt, performed };
}

function withErrcode(errcode: string): (error: unknown) => boolean {
  return (error) => error instanceof MatrixError && error.errcode === errcode;
}

test('without auth the flows are told, without an errcode', async () => {
  const { attempt, performed } = harness();
  for (const auth of [undefined, {}]) {
    const { status, body } = await attempt(auth);
    assert.equal(status, 401);
    assert.deepEqual(body.flows, [{ stages: ['m.login.password'] }]);
    assert.deepEqual([body.params, body.completed, body.errcode], [{}, [], undefined]);
    assert.equal(typeof body.session, 'string');
  }
  assert.deepEqual(performed, []);
});

test('a flow of one stage is passed with and without a session', async () => {
  const { attempt } = harness();
  assert.deepEqual(await attempt(proof), { status: 200, body: { times: 1 } });
  const { session } = (await attempt()).body;
  assert.deepEqual(await attempt({ ...proof, session }), { status: 200, body: { times: 2 } });
});

test('a wrong password may be corrected in the same session', async () => {
  const { attempt } = harness();
  const { session } = (await attempt()).body;
  const wrong = await attempt({ ...proof, password: 'wrong', session });
  assert.equal(wrong.status, 401);
  assert.deepEqual([wrong.body.errcode, wrong.body.session], ['M_FORBIDDEN', session]);
  assert.equal((await attempt({ ...proof, session })).status, 200);
});

test('a repeated last request is answered as the first time', async () => {
  const { attempt, performed } = harness();
  const { session } = (await attempt()).body;
  const first = await attempt({ ...proof, session });
  assert.deepEqual(await attempt({ ...proof, session }), first);
  assert.deepEqual(await attempt({ session }), first);
  assert.equal(performed.length, 1);
});

test('the session of a finished request is no proof for another one', async () => {
  const { attempt, performed } = harness();
  const { session } = (await attempt(undefined, { deviceId: 'A' })).body;
  await attempt({ ...proof, session }, { deviceId: 'A' });
  await assert.rejects(attempt({ session }, { deviceId: 'B' }), withErrcode('M_FORBIDDEN'));
  assert.equal(performed.length, 1);
});

test('an operation that fails may be repeated without new proof', async () => {
  const { attempt } = harness({ fail: 1 });
  const { session } = (await attempt()).body;
  await assert.rejects(attempt({ ...proof, session }), withErrcode('M_WEAK_PASSWORD'));
  assert.equal((await attempt({ session })).status, 200);
});

test('the password of somebody else, or for another request, is refused', async () => {
  const { attempt, performed } = harness();
  await assert.rejects(attempt({ ...proof, user: 'eve' }), withErrcode('M_FORBIDDEN'));
  const { session } = (await attempt(undefined, { deviceId: 'A' })).body;
  const other = attempt({ ...proof, session }, { deviceId: 'B' });
  await assert.rejects(other, withErrcode('M_FORBIDDEN'));
  await assert.rejects(attempt({ ...proof, session: 'made up' }), withErrcode('M_UNKNOWN'));
  await assert.rejects(attempt({ type: 'm.login.password' }), withErrcode('M_MISSING_PARAM'));
  assert.deepEqual(performed, []);
});

test('stages that are not offered, or not yet, are refused with the flows', async () => {
  const flows: readonly Flow[] = [['m.login.dummy', 'm.login.password']];
  const { attempt, performed } = harness({ flows });
  for (const auth of [proof, { type: 'm.login.sso' }]) {
    const { status, body } = await attempt(auth);
    assert.deepEqual([status, body.errcode, body.completed], [401, 'M_UNRECOGNIZED', []]);
  }
  const { body } = await attempt({ type: 'm.login.dummy' });
  assert.deepEqual([body.completed, body.errcode], [['m.login.dummy'], undefined]);
  const again = await attempt({ type: 'm.login.dummy', session: body.session });
  assert.deepEqual([again.status, again.body.completed], [401, ['m.login.dummy']]);
  assert.deepEqual(performed, []);
  assert.equal((await attempt({ ...proof, session: body.session })).status, 200);
});
