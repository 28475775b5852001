import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock.ts';
import type { UserId } from '../protocol/identifiers.ts';
import { refusal } from './testing.ts';
import { createUia } from './uia.ts';

const alice = '@alice:test.example' as UserId;
const bob = '@bob:test.example' as UserId;
const operation = 'deleteDevice';

test('a session remembers the request and the stages that are complete', async () => {
  const uia = createUia(new ManualClock());
  const request = { device: 'A' };
  const { session } = await uia.performCreateUiaSession({ operation, userId: alice, request });
  await uia.performCompleteUiaStage({ session, stage: 'm.login.dummy' });
  await uia.performCompleteUiaStage({ session, stage: 'm.login.dummy' });
  const found = await uia.queryUiaSession({ session, operation, userId: alice });
  assert.deepEqual(found, { session, request, completed: ['m.login.dummy'] });
});

test('a session is good for its operation and its user alone', async () => {
  const uia = createUia(new ManualClock());
  const { session } = await uia.performCreateUiaSession({ operation, userId: alice, request: {} });
  for (const other of [
    { operation, userId: bob },
    { operation },
    { operation: 'deleteDevices', userId: alice },
  ]) {
    await assert.rejects(uia.queryUiaSession({ session, ...other }), refusal('M_FORBIDDEN'));
  }
});

test('sessions expire and end', async () => {
  const clock = new ManualClock();
  const uia = createUia(clock);
  const { session } = await uia.performCreateUiaSession({ operation, request: {} });
  clock.advance(3_599_999);
  await uia.queryUiaSession({ session, operation });
  clock.advance(1);
  await assert.rejects(uia.queryUiaSession({ session, operation }), refusal('M_UNKNOWN'));
  const { session: ended } = await uia.performCreateUiaSession({ operation, request: {} });
  await uia.performEndUiaSession({ session: ended });
  await assert.rejects(uia.queryUiaSession({ session: ended, operation }), refusal('M_UNKNOWN'));
  const stage = uia.performCompleteUiaStage({ session: ended, stage: 'm.login.dummy' });
  await assert.rejects(stage, refusal('M_UNKNOWN'));
});

test('a finished operation is answered alike when its request is repeated', async () => {
  const uia = createUia(new ManualClock());
  const { session } = await uia.performCreateUiaSession({ operation, request: {} });
  await uia.performSetUiaResult({ session, result: { user_id: '@a:b' } });
  const { result } = await uia.queryUiaSession({ session, operation });
  assert.deepEqual(result, { user_id: '@a:b' });
});

test('strangers cannot fill the memory with sessions', async () => {
  const uia = createUia(new ManualClock());
  const first = await uia.performCreateUiaSession({ operation, request: {} });
  const request = { padding: 'x'.repeat(1024 * 1024) };
  for (let i = 0; i < 20; i++) await uia.performCreateUiaSession({ operation, request });
  const query = uia.queryUiaSession({ session: first.session, operation });
  await assert.rejects(query, refusal('M_UNKNOWN'));
});
