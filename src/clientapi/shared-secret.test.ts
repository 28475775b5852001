import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { ManualClock } from '../clock.ts';
import { checkMac, NonceBook } from './shared-secret.ts';

test('a nonce is good once, for a minute', () => {
  const clock = new ManualClock();
  const nonces = new NonceBook(clock);
  const nonce = nonces.issue();
  assert.equal(nonces.redeem(nonce), true);
  assert.equal(nonces.redeem(nonce), false);
  const late = nonces.issue();
  clock.advance(60_000);
  assert.equal(nonces.redeem(late), false);
  assert.equal(nonces.redeem('made up'), false);
});

test('the MAC covers every part of the request', () => {
  const request = {
    nonce: 'n',
    username: 'alice',
    password: 'secret',
    admin: false,
    userType: undefined,
  };
  const text = ['n', 'alice', 'secret', 'notadmin'].join('\0');
  const mac = createHmac('sha1', 'shared').update(text).digest('hex');
  checkMac('shared', { ...request, mac });
  const forged = [
    { ...request, mac, admin: true },
    { ...request, mac, username: 'bob' },
    { ...request, mac, password: 'other' },
    { ...request, mac, userType: 'bot' },
    { ...request, mac: mac.slice(2) },
    { ...request, mac: '' },
    { ...request, mac: 'no hexadecimal' },
  ];
  for (const one of forged) assert.throws(() => checkMac('shared', one), /HMAC/);
  assert.throws(() => checkMac('other', { ...request, mac }), /HMAC/);
});
