import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { UserId } from '../protocol/identifiers.ts';
import type { RoomKey } from '../userserver/backups/backups-api.ts';
import { roomsStream, sessionsStream } from './room-keys-stream.ts';

const KEY: RoomKey = { firstMessageIndex: 1, forwardedCount: 2, isVerified: true, sessionData: {} };
const BODY = { first_message_index: 1, forwarded_count: 2, is_verified: true, session_data: {} };
const WANTED = { userId: '@alice:example.org' as UserId, version: '1' };

type Source = Parameters<typeof roomsStream>[0];

/** Keys of the places, so many on each page. */
function sourceOf(places: readonly (readonly [string, string])[], size: number): Source {
  const keys = places.map(([roomId, sessionId]) => ({ roomId, sessionId, key: KEY }));
  return {
    queryRoomKeysAfter: async ({ after }) => {
      const last = keys.findIndex(
        ({ roomId, sessionId }) => roomId === after?.roomId && sessionId === after.sessionId,
      );
      return keys.slice(last + 1, last + 1 + size);
    },
  };
}

async function bodyOf(streaming: ReturnType<typeof roomsStream>): Promise<unknown> {
  const { body } = await streaming;
  return JSON.parse(await text(body as NodeJS.ReadableStream));
}

const PLACES = [
  ['!a', 'one'],
  ['!a', 'two'],
  ['!b', 'one'],
  ['!c"', '__proto__'],
] as const;

for (const size of [1, 2, 3, 10]) {
  test(`rooms and their sessions in pages of ${size}`, async () => {
    const found = await bodyOf(roomsStream(sourceOf(PLACES, size), WANTED));
    const rooms = {
      '!a': { sessions: { one: BODY, two: BODY } },
      '!b': { sessions: { one: BODY } },
      '!c"': { sessions: { ['__proto__']: BODY } },
    };
    assert.equal(JSON.stringify(found), JSON.stringify({ rooms }));
  });

  test(`sessions in pages of ${size}`, async () => {
    const found = await bodyOf(sessionsStream(sourceOf(PLACES.slice(0, 2), size), WANTED));
    assert.deepEqual(found, { sessions: { one: BODY, two: BODY } });
  });
}

test('no keys', async () => {
  assert.deepEqual(await bodyOf(roomsStream(sourceOf([], 5), WANTED)), { rooms: {} });
  assert.deepEqual(await bodyOf(sessionsStream(sourceOf([], 5), WANTED)), { sessions: {} });
});

test('what is refused is refused before anything is answered', async () => {
  const queryRoomKeysAfter = async () => {
    throw new Error('no such backup');
  };
  await assert.rejects(roomsStream({ queryRoomKeysAfter }, WANTED), /no such backup/);
});
