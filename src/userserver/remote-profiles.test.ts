import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock.ts';
import type { FederationRequest } from '../federation/api.ts';
import { FederationError } from '../federation/federation-error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import { RemoteProfiles } from './remote-profiles.ts';

const DAN = '@dan:there.example' as UserId;

function profiles(answer: (request: FederationRequest) => Promise<JsonObject>) {
  const asked: FederationRequest[] = [];
  const clock = new ManualClock();
  const client = {
    request: (request: FederationRequest) => {
      asked.push(request);
      return answer(request);
    },
  };
  return { asked, clock, found: new RemoteProfiles(client, clock) };
}

function refused(status: number) {
  return profiles(async ({ destination }) => {
    throw new FederationError('refused', destination, { message: 'no', status });
  });
}

test('a profile is asked of the server of the user, once for all who ask, and again after a while', async () => {
  const { asked, clock, found } = profiles(async () => ({ displayname: 'Dan' }));
  const both = await Promise.all([found.find(DAN), found.find(DAN)]);
  assert.deepEqual(both, [{ displayname: 'Dan' }, { displayname: 'Dan' }]);
  await found.find(DAN);
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.destination, 'there.example');
  assert.deepEqual(asked[0]?.query, { user_id: DAN });
  clock.advance(300_000);
  await found.find(DAN);
  assert.equal(asked.length, 2);
});

test('users who do not exist are remembered, servers that do not answer are not', async () => {
  const unknown = refused(404);
  assert.equal(await unknown.found.find(DAN), undefined);
  assert.equal(await unknown.found.find(DAN), undefined);
  assert.equal(unknown.asked.length, 1);
  const down = refused(500);
  await assert.rejects(down.found.find(DAN), { errcode: 'M_NOT_FOUND' });
  await assert.rejects(down.found.find(DAN), { errcode: 'M_NOT_FOUND' });
  assert.equal(down.asked.length, 2);
  await assert.rejects(refused(403).found.find(DAN), { errcode: 'M_FORBIDDEN' });
});
