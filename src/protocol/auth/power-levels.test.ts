import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonObject, parseJsonExactly } from '../json.ts';
import type { RoomVersionId } from '../roomversions/room-version.ts';
import { ROOM_VERSIONS } from '../roomversions/table.ts';
import { type PowerLevels, powerLevels } from './power-levels.ts';
import { CREATOR, MEMBER, MODERATOR, TestRoom } from './test-room.ts';

function levelsIn(version: RoomVersionId, content?: JsonObject): PowerLevels {
  const room = new TestRoom(version);
  if (content !== undefined) room.setLevels(content);
  return powerLevels(room.lookup, room.rules);
}

/** From the text of JSON, as it arrives. */
function levelsFrom(version: RoomVersionId, text: string): PowerLevels {
  return levelsIn(version, parseJsonExactly(text) as JsonObject);
}

test('without power levels the creator has 100, or more than any, and all others 0', () => {
  for (const version of ROOM_VERSIONS) {
    const levels = levelsIn(version);
    assert.equal(levels.levelOf(CREATOR), version === '12' ? Infinity : 100);
    assert.equal(levels.levelOf(MEMBER), 0);
    assert.equal(levels.levelToSend('m.room.message', false), 0);
    assert.equal(levels.levelToSend('m.room.topic', true), 50);
    assert.equal(levels.notification('room'), 50);
    const { invite, kick, ban, redact } = levels;
    assert.deepEqual({ invite, kick, ban, redact }, { invite: 0, kick: 50, ban: 50, redact: 50 });
  }
});

test('with empty power levels the creator is like everybody, unless privileged', () => {
  for (const version of ROOM_VERSIONS) {
    const levels = levelsIn(version, {});
    assert.equal(levels.levelOf(CREATOR), version === '12' ? Infinity : 0);
    assert.equal(levels.levelToSend('m.room.topic', true), 50);
    assert.equal(levels.levelToSend('m.room.message', false), 0);
  }
});

test('what is written is read', () => {
  const content = {
    users: { [MODERATOR]: 50 },
    users_default: 7,
    events: { 'm.room.topic': 20 },
    events_default: 1,
    state_default: 2,
    invite: 3,
    kick: 4,
    ban: 5,
    redact: 6,
    notifications: { room: 8 },
  };
  for (const version of ROOM_VERSIONS) {
    const levels = levelsIn(version, content);
    assert.equal(levels.levelOf(MODERATOR), 50);
    assert.equal(levels.levelOf(MEMBER), 7);
    assert.equal(levels.levelToSend('m.room.topic', true), 20);
    assert.equal(levels.levelToSend('m.room.topic', false), 20);
    assert.equal(levels.levelToSend('m.room.message', false), 1);
    assert.equal(levels.levelToSend('m.room.name', true), 2);
    assert.equal(levels.notification('room'), 8);
    assert.deepEqual([levels.invite, levels.kick, levels.ban, levels.redact], [3, 4, 5, 6]);
  }
});

test('creators of version 12 stand above all levels, additional ones too', () => {
  const room = new TestRoom('12', { additional_creators: [MEMBER, 7] });
  room.setLevels({ users: { [MODERATOR]: 2 ** 53 - 1 } });
  const levels = powerLevels(room.lookup, room.rules);
  assert.equal(levels.levelOf(MEMBER), Infinity);
  assert.ok(levels.levelOf(CREATOR) > levels.levelOf(MODERATOR));
  const before = new TestRoom('11', { additional_creators: [MEMBER] });
  assert.equal(powerLevels(before.lookup, before.rules).levelOf(MEMBER), 0);
});

test('the creator is whom m.room.create names, until the sender is', () => {
  for (const version of ROOM_VERSIONS) {
    const room = new TestRoom(version, { creator: MEMBER });
    const levels = powerLevels(room.lookup, room.rules);
    const isNamed = Number(version) < 11;
    assert.equal(levels.levelOf(MEMBER), isNamed ? 100 : 0);
    assert.equal(levels.levelOf(CREATOR) > 0, !isNamed);
  }
});

test('texts are levels until version 9', () => {
  const texts = {
    ' 100 ': 100,
    '+100': 100,
    '-100': -100,
    '000100': 100,
    ' \t+00100\n': 100,
    '0': 0,
  };
  for (const [text, level] of Object.entries(texts)) {
    const content = { users: { [MEMBER]: text }, users_default: 1, ban: text };
    for (const version of ROOM_VERSIONS) {
      const isText = Number(version) < 10;
      const levels = levelsIn(version, content);
      assert.equal(levels.levelOf(MEMBER), isText ? level : 1);
      assert.equal(levels.ban, isText ? level : 50);
    }
  }
});

test('what is no level counts as absent', () => {
  const nonsense = [
    '',
    ' ',
    '1.5',
    '1e3',
    '0x10',
    '1_000',
    '--1',
    '+-1',
    '１',
    'Infinity',
    '9'.repeat(400),
  ];
  for (const value of [...nonsense, null, true, [], {}, [100]]) {
    const content = {
      users: { [MEMBER]: value },
      users_default: 1,
      events: { t: value },
      kick: value,
    };
    for (const version of ROOM_VERSIONS) {
      const levels = levelsIn(version, content);
      assert.equal(levels.levelOf(MEMBER), 1);
      assert.equal(levels.levelToSend('t', true), 50);
      assert.equal(levels.kick, 50);
    }
  }
  for (const value of [null, 7, 'x', [MEMBER]]) {
    const levels = levelsIn('1', { users: value, events: value, notifications: value });
    assert.equal(levels.levelOf(MEMBER), 0);
    assert.equal(levels.levelToSend('t', true), 50);
    assert.equal(levels.notification('room'), 50);
  }
});

test('floats lose their fraction where there are floats', () => {
  const levels = levelsFrom('5', `{"ban":50.57,"kick":5.114698E4,"redact":-1.9,"invite":-0.5}`);
  assert.deepEqual([levels.ban, levels.kick, levels.redact, levels.invite], [50, 51146, -1, 0]);
  assert.ok(Object.is(levels.invite, 0));
  const beyond = levelsFrom('5', `{"ban":1e400,"kick":-1e400,"redact":9223372036854775807}`);
  assert.deepEqual([beyond.ban, beyond.kick, beyond.redact], [50, 50, 2 ** 63]);
  assert.equal(levelsFrom('10', `{"ban":60.0}`).ban, 50);
  assert.equal(levelsIn('5', { ban: 60.5 }).ban, 60);
  assert.equal(levelsIn('10', { ban: 60.5 }).ban, 50);
});

test('names of JavaScript are no levels', () => {
  for (const version of ROOM_VERSIONS) {
    const levels = levelsFrom(
      version,
      `{"users":{"__proto__":{"@a:b":7}},"events":{"__proto__":3}}`,
    );
    assert.equal(levels.levelOf('@a:b'), 0);
    assert.equal(levels.levelToSend('constructor', true), 50);
    assert.equal(levels.levelToSend('__proto__', true), 3);
    assert.equal(levels.notification('toString'), 50);
  }
});
