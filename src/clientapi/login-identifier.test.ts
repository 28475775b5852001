import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MatrixError } from '../protocol/error.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import { identifiedUser } from './login-identifier.ts';

const here = 'example.org:8448' as ServerName;
const byId = (user: string) => identifiedUser({ identifier: { type: 'm.id.user', user } }, here);
const fails = (errcode: string) => (error: unknown) =>
  error instanceof MatrixError && error.errcode === errcode;

test('whole user ids and localparts, in any case', () => {
  const alice = '@alice:example.org:8448';
  for (const user of ['alice', 'ALICE', alice, '@Alice:example.org:8448']) {
    assert.equal(byId(user), alice);
  }
  assert.equal(identifiedUser({ user: 'alice' }, here), alice);
  // The Kelvin sign is no K.
  assert.notEqual(byId('\u212aate'), '@kate:example.org:8448');
});

test('who cannot be a user of this server is unknown', () => {
  for (const user of ['@alice:example.org', '@alice:evil.example', 'a:b', '\0', 'x'.repeat(300)]) {
    assert.throws(() => byId(user), fails('M_FORBIDDEN'), user);
  }
  const email = { type: 'm.id.thirdparty', medium: 'email', address: 'a@example.org' };
  assert.throws(() => identifiedUser({ identifier: email }, here), fails('M_FORBIDDEN'));
  assert.throws(() => identifiedUser({}, here), fails('M_MISSING_PARAM'));
  const nobody = { identifier: { type: 'm.id.user' } };
  assert.throws(() => identifiedUser(nobody, here), fails('M_MISSING_PARAM'));
});
