// event_fields selects properties by path.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../protocol/json.ts';
import { compileEventFields } from './event-fields.ts';

const EVENT = JSON.parse(`{
  "type": "m.room.message",
  "content": { "body": "b", "info": { "w": 1, "h": 2 }, "m.relates_to": { "event_id": "$x" } },
  "unsigned": { "age": 5 },
  "__proto__": { "polluted": true }
}`);

test('absent, all fields stay', () => {
  assert.equal(compileEventFields(undefined), undefined);
  assert.equal(compileEventFields('content.body'), undefined);
});

for (const [fields, selected] of [
  [['type'], { type: 'm.room.message' }],
  [['content.body'], { content: { body: 'b' } }],
  [['content.info.w', 'content.body'], { content: { info: { w: 1 }, body: 'b' } }],
  [['content', 'content.body'], { content: EVENT.content }],
  [['content.m\\.relates_to'], { content: { 'm.relates_to': { event_id: '$x' } } }],
  [['content.nothing', 'content.body.deeper', 'constructor', ''], {}],
  [[1, 'type'], { type: 'm.room.message' }],
  [[], {}],
] as const) {
  test(`fields ${JSON.stringify(fields)}`, () => {
    const before = JSON.stringify(EVENT);
    assert.deepEqual(compileEventFields(fields)?.(EVENT), selected);
    assert.equal(JSON.stringify(EVENT), before);
  });
}

test('__proto__ is a property like others', () => {
  const selected = compileEventFields(['__proto__.polluted'])?.(EVENT);
  assert.equal(JSON.stringify(selected), '{"__proto__":{"polluted":true}}');
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test('thousands of paths cost no more than the event is large', () => {
  const paths = Array.from({ length: 5_000 }, (_, number) => `content.${number}`);
  let reads = 0;
  const get = (target: JsonObject, name: string) => {
    reads += 1;
    return Reflect.get(target, name);
  };
  const getOwnPropertyDescriptor = (target: JsonObject, name: string) => {
    reads += 1;
    return Reflect.getOwnPropertyDescriptor(target, name);
  };
  const content = new Proxy<JsonObject>({ 1: 'one', 2: 'two', other: 3 }, {
    get,
    getOwnPropertyDescriptor,
  } as ProxyHandler<JsonObject>);
  const selected = compileEventFields(paths)?.({ content });
  assert.deepEqual(selected, { content: { 1: 'one', 2: 'two' } });
  assert.ok(reads < 20, `${reads} reads`);
});
