import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pdu, type PduJson } from '../protocol/events/pdu.ts';
import type { EventId } from '../protocol/identifiers.ts';
import type { StoredEvent } from '../roomserver/api.ts';
import { checkIsInThread } from './threads.ts';

/** Each event by what it relates to, and how. */
const relations: Readonly<Record<string, readonly [string, string] | undefined>> = {
  $root: undefined,
  $reply: ['m.thread', '$root'],
  $edit: ['m.replace', '$reply'],
  $reaction: ['m.annotation', '$edit'],
  $reactionToRoot: ['m.annotation', '$root'],
  $far: ['m.reference', '$reaction'],
  $further: ['m.reference', '$far'],
  $lost: ['m.annotation', '$unknown'],
  $loop: ['m.reference', '$loop'],
};

function event(eventId: string): StoredEvent | undefined {
  if (!(eventId in relations)) return undefined;
  const [rel_type, event_id] = relations[eventId] ?? [];
  const content = rel_type === undefined ? {} : { 'm.relates_to': { rel_type, event_id } };
  const json = { type: 'm.test', content } as unknown as PduJson;
  return { eventId: eventId as EventId, roomVersion: '11', json } as StoredEvent;
}

const roomserver = {
  queryEvents: async ({ eventIds }: { eventIds: readonly string[] }) =>
    eventIds.map(event).filter((found) => found !== undefined),
};

function check(eventId: string, threadId: string): Promise<void> {
  return checkIsInThread({ roomserver }, Pdu.from(event(eventId) as StoredEvent), threadId);
}

test('an event is in the thread that its relations lead to', async () => {
  for (const id of ['$reply', '$edit', '$reaction', '$far', '$root']) await check(id, '$root');
  for (const id of ['$root', '$reactionToRoot', '$lost', '$loop']) await check(id, 'main');
});

test('an event is in no other thread', async () => {
  for (const [id, thread] of [
    ['$reply', 'main'],
    ['$reaction', 'main'],
    ['$reactionToRoot', '$root'],
    ['$reply', '$other'],
    ['$lost', '$root'],
    // Relations are not followed for ever.
    ['$further', '$root'],
  ] as const) {
    await assert.rejects(check(id, thread), { errcode: 'M_INVALID_PARAM' }, `${id} in ${thread}`);
  }
});
