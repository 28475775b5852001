import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNetwork, NetworkList } from './network-list.ts';

test('an address lies in a network by its leading bits', () => {
  const list = new NetworkList(['10.0.0.0/8', '172.16.0.0/12', '192.0.2.7', 'fc00::/7', '::1']);
  for (const [address, expected] of [
    ['10.255.0.1', true],
    ['11.0.0.1', false],
    ['172.31.255.255', true],
    ['172.32.0.0', false],
    ['192.0.2.7', true],
    ['192.0.2.6', false],
    ['::1', true],
    ['0:0::0:1', true],
    ['::2', false],
    ['fdff:1:2:3:4:5:6:7', true],
    ['fd00::1%eth0', true],
    ['fe00::', false],
    ['2001:db8::1', false],
  ] as const) {
    assert.equal(list.contains(address), expected, address);
  }
});

test('IPv4 is found wherever IPv6 carries it', () => {
  const list = new NetworkList(['127.0.0.0/8']);
  for (const address of [
    '127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:FFFF:7F00:0001',
    '::127.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b:1::7f00:1',
    '2002:7f00:1::',
    '2002:7f00:1:2:3:4:5:6',
  ]) {
    assert.equal(list.contains(address), true, address);
  }
  for (const address of ['::ffff:128.0.0.1', '64:ff9b::8.8.8.8', '2003:7f00:1::', '1::7f00:1']) {
    assert.equal(list.contains(address), false, address);
  }
});

test('what is no address lies in every list', () => {
  const list = new NetworkList([]);
  for (const text of ['', 'localhost', '127.1', '0x7f000001', '1.2.3.4\0', '[::1]']) {
    assert.equal(list.contains(text), true, text);
  }
  assert.equal(list.contains('127.0.0.1'), false);
});

test('a list of everything', () => {
  const list = new NetworkList(['0.0.0.0/0', '::/0']);
  assert.equal(list.contains('8.8.8.8'), true);
  assert.equal(list.contains('2001:db8::1'), true);
  assert.equal(new NetworkList(['0.0.0.0/0']).contains('2001:db8::1'), false);
});

test('networks are told from other text', () => {
  for (const text of ['10.0.0.0/8', '10.1.2.3', '::/0', 'fe80::/10', '::ffff:0:0/96']) {
    assert.equal(isNetwork(text), true, text);
  }
  for (const text of [
    '',
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    'a',
    '10.0.0.0/',
    '::/-1',
    'fe80::1%a/10',
  ]) {
    assert.equal(isNetwork(text), false, text);
    assert.throws(() => new NetworkList([text]));
  }
});
