// Which events filters let pass.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../protocol/json.ts';
import { compileEventFilter, type FilterSubject } from './event-filter.ts';

const message: FilterSubject = { type: 'm.room.message', sender: '@a:b', containsUrl: false };
const picture: FilterSubject = { type: 'm.room.message', sender: '@c:d', containsUrl: true };
const topic: FilterSubject = { type: 'm.room.topic', sender: '@a:b', containsUrl: false };
const tag: FilterSubject = { type: 'm.tag' };

const ALL = { message, picture, topic, tag };

const CASES: [string, JsonObject, (keyof typeof ALL)[]][] = [
  ['no filter', {}, ['message', 'picture', 'topic', 'tag']],
  ['types', { types: ['m.room.topic'] }, ['topic']],
  ['no types', { types: [] }, []],
  ['a type with stars', { types: ['m.room.*'] }, ['message', 'picture', 'topic']],
  ['a star alone', { types: ['*'] }, ['message', 'picture', 'topic', 'tag']],
  ['stars in the middle', { types: ['m.*.t*c'] }, ['topic']],
  ['a star that must not match twice', { types: ['m.room.topic*topic'] }, []],
  ['a question mark is no wildcard', { types: ['m.room.topi?'] }, []],
  ['types are told apart by case', { types: ['M.ROOM.TOPIC', 'm.Room.*'] }, []],
  ['not_types', { not_types: ['m.room.message'] }, ['topic', 'tag']],
  ['not_types wins', { types: ['m.room.*'], not_types: ['m.room.topic'] }, ['message', 'picture']],
  ['senders', { senders: ['@a:b'] }, ['message', 'topic', 'tag']],
  ['no senders', { senders: [] }, ['tag']],
  ['not_senders', { not_senders: ['@a:b'] }, ['picture', 'tag']],
  ['not_senders wins', { senders: ['@a:b', '@c:d'], not_senders: ['@a:b'] }, ['picture', 'tag']],
  ['with url', { contains_url: true }, ['picture']],
  ['without url', { contains_url: false }, ['message', 'topic', 'tag']],
  [
    'malformed parts',
    { types: 'm.tag', senders: 1, contains_url: 'yes' },
    ['message', 'picture', 'topic', 'tag'],
  ],
];

for (const [name, json, passing] of CASES) {
  test(`filter: ${name}`, () => {
    const filter = compileEventFilter(json);
    const found = Object.entries(ALL).filter(([, subject]) => filter.passes(subject));
    assert.deepEqual(
      found.map(([key]) => key),
      passing,
    );
  });
}

test('rooms and not_rooms', () => {
  const filter = compileEventFilter({ rooms: ['!a:b', '!c:d'], not_rooms: ['!c:d'] });
  assert.deepEqual(['!a:b', '!c:d', '!e:f'].filter(filter.passesRoom), ['!a:b']);
  assert.equal(compileEventFilter({ rooms: [] }).passesRoom('!a:b'), false);
});

test('very many patterns are tried once for each type', () => {
  const types = Array.from({ length: 10_000 }, (_, n) => `a*b*c*${n}`);
  const filter = compileEventFilter({ types });
  const long = { ...message, type: 'a b c '.repeat(40) };
  // Tried each time it would be minutes.
  for (let n = 0; n < 10_000; n += 1) assert.equal(filter.passes(long), false);
  assert.equal(filter.passes({ ...message, type: 'a b c 9999' }), true);
});

test('a long pattern with many stars takes no time', () => {
  const filter = compileEventFilter({ types: [`${'a*'.repeat(5000)}b`] });
  assert.equal(filter.passes({ type: 'a'.repeat(20_000) }), false);
});

test('lists such as types keep no prototype', () => {
  assert.equal(compileEventFilter({ types: ['m.tag'] }).passes({ type: 'constructor' }), false);
});
