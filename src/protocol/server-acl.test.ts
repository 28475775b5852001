import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerName } from './identifiers.ts';
import type { JsonObject } from './json.ts';
import { isAllowedByAcl } from './server-acl.ts';

const allowed = (content: JsonObject | undefined, server: string) =>
  isAllowedByAcl(content, server as ServerName);

test('without an ACL every server may', () => {
  assert.equal(allowed(undefined, 'evil.com'), true);
});

test('an ACL that allows nobody keeps everybody out', () => {
  for (const content of [{}, { allow: [] }, { allow: 'good.com' }, { allow: [1, null] }]) {
    assert.equal(allowed(content, 'good.com'), false, JSON.stringify(content));
  }
});

test('what is denied is denied though it is allowed, too', () => {
  const content = { allow: ['*'], deny: ['evil.com', '*.evil.com', 'b?d.com'] };
  for (const server of ['evil.com', 'a.b.evil.com', 'EVIL.com', 'bad.com', 'bid.com']) {
    assert.equal(allowed(content, server), false, server);
  }
  for (const server of ['good.com', 'notevil.com', 'evil.com.good.com', 'bd.com']) {
    assert.equal(allowed(content, server), true, server);
  }
});

test('ports do not count', () => {
  const content = { allow: ['*'], deny: ['evil.com', '1.2.3.4', '[::1]'] };
  for (const server of ['evil.com:8448', 'evil.com:1', '1.2.3.4:80', '[::1]:8448', '[::1]']) {
    assert.equal(allowed(content, server), false, server);
  }
  assert.equal(allowed({ allow: ['good.com'] }, 'good.com:8448'), true);
  assert.equal(allowed({ allow: ['good.com:8448'] }, 'good.com:8448'), false);
});

test('IP literals are allowed unless it says false', () => {
  const literals = ['1.2.3.4', '1.2.3.4:80', '[2001:db8::1]', '[2001:db8::1]:80'];
  for (const server of literals) {
    assert.equal(allowed({ allow: ['*'], allow_ip_literals: false }, server), false, server);
    assert.equal(allowed({ allow: ['*'], allow_ip_literals: 'false' }, server), true, server);
    assert.equal(allowed({ allow: ['*'] }, server), true, server);
  }
  assert.equal(allowed({ allow: ['*'], allow_ip_literals: false }, '1.2.3.4.com'), true);
  assert.equal(allowed({ allow: ['*'], allow_ip_literals: false }, '4.com'), true);
});
