import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PasswordHasher } from './password-hasher.ts';
import { refusal } from './testing.ts';

const cheap = { passwordHash: { fastForTests: true } };

test('hashes are PHC strings that only their password fits', async () => {
  const hasher = new PasswordHasher(cheap);
  const stored = await hasher.hash('pässword');
  assert.match(stored, /^\$argon2id\$v=19\$m=8,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.notEqual(await hasher.hash('pässword'), stored);
  assert.equal(await hasher.isRight('pässword', stored), true);
  assert.equal(await hasher.isRight('password', stored), false);
  assert.equal(await hasher.isRight('', stored), false);
  assert.equal(await hasher.isRight('pässword', undefined), false);
});

test('a hash is checked with the parameters it was made with', async () => {
  const old = new PasswordHasher({
    passwordHash: { fastForTests: false, memoryKib: 64, passes: 3 },
  });
  const stored = await old.hash('password');
  assert.ok(stored.startsWith('$argon2id$v=19$m=64,t=3,p=1$'));
  assert.equal(await new PasswordHasher(cheap).isRight('password', stored), true);
});

test('agrees with other implementations', async () => {
  // Made by the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32 -e
  const stored =
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  const hasher = new PasswordHasher(cheap);
  assert.equal(await hasher.isRight('password', stored), true);
  assert.equal(await hasher.isRight('passwore', stored), false);
});

test('new passwords are neither short nor endless', () => {
  const hasher = new PasswordHasher({ ...cheap, minPasswordLength: 4 });
  assert.throws(() => hasher.checkNew('🐈🐈🐈'), refusal('M_WEAK_PASSWORD'));
  hasher.checkNew('🐈🐈🐈🐈');
  hasher.checkNew('x'.repeat(512));
  assert.throws(() => hasher.checkNew('x'.repeat(513)), refusal('M_INVALID_PARAM'));
});
