import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as id from './identifiers.ts';
import {
  randomDeviceId,
  randomEventId,
  randomMediaId,
  randomOpaqueId,
  randomRoomId,
} from './opaque-ids.ts';

const GOOD_SERVERS = [
  'matrix.org',
  'matrix.org:8888',
  '1.2.3.4',
  '1.2.3.4:1234',
  '[1234:5678::abcd]',
  '[1234:5678::abcd]:5678',
  '[::]',
  '[::1]',
  '[1::]',
  '[1:2:3:4:5:6:7:8]',
  '[1:2:3:4:5:6:1.2.3.4]',
  '[::ffff:1.2.3.4]:1',
  'localhost',
  'localhost:8448',
  'MATRIX.org',
  'a-b.c',
  'xn--bcher-kva.example',
  '1.2.3',
  '127.example.org',
];
const BAD_SERVERS = [
  '',
  ':80',
  'a:',
  'a:0',
  'a:65536',
  'a:123456',
  'a:8448:1',
  'a:80a',
  'a:-1',
  'a..b',
  '.a',
  'a.',
  'a_b',
  'a b',
  'a/b',
  'ä.de',
  '256.1.1.1',
  '1.2.3.1000',
  '1.2.3.999:80',
  '[]',
  '[:]',
  '[:::]',
  '[1]',
  '[1::2::3]',
  '[1:2:3:4:5:6:7]',
  '[1:2:3:4:5:6:7:8:9]',
  '[1:2:3:4:5:6:7::8]:',
  '[1::2:3:4:5:6:7:8]',
  '[12345::]',
  '[::1.2.3.256]',
  '[1.2.3.4::]',
  '[g::]',
  '[::1',
  '::1',
  'a\n',
  'a\0',
  `${'a'.repeat(256)}`,
];

test('server names', () => {
  for (const name of GOOD_SERVERS) assert.equal(id.parseServerName(name), name);
  for (const name of BAD_SERVERS) {
    assert.throws(() => id.parseServerName(name), { errcode: 'M_INVALID_PARAM' }, name);
    assert.equal(id.isUserId(`@a:${name}`), false, name);
  }
});

test('every server name stands in identifiers, and is taken out of them whole', () => {
  for (const name of GOOD_SERVERS) {
    assert.equal(id.serverNameOf(id.parseUserId(`@a:${name}`)), name);
    assert.equal(id.serverNameOf(id.parseRoomAlias(`#a:${name}`)), name);
    assert.equal(id.serverNameOfRoomId(id.parseRoomId(`!a:${name}`)), name);
    assert.equal(id.serverNameOfEventId(id.parseEventId(`$a:${name}`)), name);
  }
  assert.notEqual(
    id.serverNameOf(id.parseUserId('@a:bad.com:8448')),
    id.serverNameOf(id.parseUserId('@a:bad.com')),
  );
});

test('user IDs by the historical grammar', () => {
  for (const text of ['@:a', '@A b:a', '@ü😀:a', '@a\n:a', '@@#!:a', `@${'a'.repeat(252)}:b`]) {
    assert.equal(id.parseUserId(text), text);
  }
  const bad = [
    '',
    'a:b',
    '@a',
    '@',
    '@a:',
    '@a:b:c',
    '!a:b',
    '@a\0:b',
    '@\ud800:b',
    '@a: b',
    1,
    null,
  ];
  for (const text of [...bad, undefined, {}, `@${'a'.repeat(253)}:b`, `@${'é'.repeat(127)}:b`]) {
    assert.throws(() => id.parseUserId(text), { errcode: 'M_INVALID_PARAM' }, String(text));
  }
  assert.equal(id.localpartOf(id.parseUserId('@a b:c:8448')), 'a b');
  assert.equal(id.localpartOf(id.parseUserId('@:c')), '');
});

test('new user names by the strict grammar', () => {
  const server = id.parseServerName('localhost:8448');
  assert.equal(id.checkNewLocalpart('a.b_c=d-e/f+0', server), '@a.b_c=d-e/f+0:localhost:8448');
  const bad = ['', 'A', 'ä', 'a b', 'a:b', '@a', 'a\n', 'a\0', 1, null, undefined, 'a'.repeat(240)];
  for (const localpart of bad) {
    assert.throws(() => id.checkNewLocalpart(localpart, server), { errcode: 'M_INVALID_USERNAME' });
  }
});

test('room IDs with and without server name', () => {
  const hash = `!${'aB3-_'.repeat(8)}abc`;
  assert.equal(id.serverNameOfRoomId(id.parseRoomId(hash)), undefined);
  for (const text of ['!a:b', '!a b\n:b', hash]) assert.equal(id.parseRoomId(text), text);
  for (const text of [
    '!:b',
    '!a',
    '#a:b',
    `${hash}a`,
    `!${'+'.repeat(43)}`,
    `${hash}\n`,
    '!a:b ',
  ]) {
    assert.throws(() => id.parseRoomId(text), { errcode: 'M_INVALID_PARAM' }, text);
  }
  assert.equal(id.isDomainlessRoomId('!a:b'), false);
});

test('room aliases', () => {
  for (const text of ['#a:b', '#ä b#:c:1']) assert.equal(id.parseRoomAlias(text), text);
  for (const text of ['#:b', '#a', '!a:b', '#a:b c']) {
    assert.throws(() => id.parseRoomAlias(text), { errcode: 'M_INVALID_PARAM' }, text);
  }
  const server = id.parseServerName('b');
  assert.equal(id.makeRoomAlias('ä b', server), '#ä b:b');
  for (const localpart of ['', 'a:b', '\0', 'a'.repeat(255)]) {
    assert.throws(() => id.makeRoomAlias(localpart, server), { errcode: 'M_INVALID_PARAM' });
  }
});

test('event and device IDs are opaque', () => {
  for (const text of ['$a:b', '$acR1l0raoZnm60CBwAVgqbZqoO/mYU81xysh1u7XcJk', '$x']) {
    assert.equal(id.parseEventId(text), text);
  }
  for (const text of ['', '$', 'a', '$a\0', '$\udc00', `$${'a'.repeat(255)}`, 1]) {
    assert.throws(() => id.parseEventId(text), { errcode: 'M_INVALID_PARAM' });
  }
  assert.equal(id.serverNameOfEventId(id.parseEventId('$x')), undefined);
  assert.equal(id.parseDeviceId('my phone 😀'), 'my phone 😀');
  for (const text of ['', '\0', '\ud800', 'a'.repeat(256), 5, null]) {
    assert.throws(() => id.parseDeviceId(text), { errcode: 'M_INVALID_PARAM' });
  }
});

test('mxc URIs', () => {
  assert.deepEqual(id.parseMxcUri('mxc://a.b:80/aB0_-'), {
    serverName: 'a.b:80',
    mediaId: 'aB0_-',
  });
  const bad = ['', 'mxc://a', 'mxc://a/', 'mxc://a/b/c', 'mxc:///b', 'mxc://a_b/c', 'http://a/b'];
  for (const uri of [...bad, 'mxc://a/../b', 'mxc://a/b?c', 'mxc://a/b\n', 1, undefined]) {
    assert.equal(id.parseMxcUri(uri), undefined);
  }
});

test('random identifiers are well-formed and differ', () => {
  const server = id.parseServerName('a.b:1');
  assert.match(randomOpaqueId(500), /^[A-Za-z]{500}$/);
  assert.match(randomDeviceId(), /^[A-Z]{10}$/);
  assert.equal(id.isRoomId(randomRoomId(server)), true);
  assert.equal(id.isEventId(randomEventId(server)), true);
  assert.notEqual(id.parseMxcUri(`mxc://a/${randomMediaId()}`), undefined);
  assert.equal(new Set(Array.from({ length: 100 }, randomMediaId)).size, 100);
});
