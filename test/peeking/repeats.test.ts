// A response that is lost loses nothing: the same token gets the same answer, after whatever has happened, however
// often, and after a restart.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loginAgain, type TestClient } from '../client.ts';
import {
  type Any,
  change,
  join,
  leave,
  peek,
  type Scene,
  sectionsOf,
  unpeek,
  useScene,
} from './scene.ts';

const scene = useScene();

interface Looker {
  readonly client: TestClient;
  readonly room: string;
  readonly s: Scene;
}

const LIFETIME_MS = 3_600_000;

/** What happens between two syncs of a device that looks, and where the room stands then. */
const HAPPENINGS: readonly (readonly [string, (looker: Looker) => Promise<unknown>, string])[] = [
  ['a message', ({ s, room }) => s.member.send(room, 'one more'), 'peek'],
  ['many messages', ({ s, room }) => s.lines(room, 15), 'peek'],
  ['renewal', ({ client, room }) => peek(client, room), ''],
  ['unpeek', ({ client, room }) => unpeek(client, room), 'leave'],
  ['unpeek and peek', inTurn(unpeekRoom, peekRoom), 'peek'],
  ['unpeek, peek and unpeek', inTurn(unpeekRoom, peekRoom, unpeekRoom), 'leave'],
  ['expiry', async ({ s }) => s.server.clock.advance(LIFETIME_MS), 'leave'],
  ['expiry and peek', inTurn(expiry, peekRoom), 'peek'],
  ['join', joinRoom, 'join'],
  ['join and leave', inTurn(joinRoom, leaveRoom), 'leave'],
  ['join, leave and peek', inTurn(joinRoom, leaveRoom, peekRoom), 'peek'],
  ['unpeek and join', inTurn(unpeekRoom, joinRoom), 'join'],
  ['expiry and join', inTurn(expiry, joinRoom), 'join'],
  ['ban', ({ s, client, room }) => change(s.member, room, 'ban', client), 'leave'],
  ['closing', ({ s, room }) => s.setVisibility(room, 'joined'), 'leave'],
  ['closing and opening', closeAndOpen, 'leave'],
  ['closing, opening and peek', inTurn(closeAndOpen, peekRoom), 'peek'],
  ['encryption', ({ s, room }) => s.encrypt(room), 'leave'],
  ['purge', purge, 'leave'],
  ['unpeek and purge', inTurn(unpeekRoom, purge), 'leave'],
];

function inTurn(...happenings: readonly ((looker: Looker) => Promise<unknown>)[]) {
  return async (looker: Looker) => {
    for (const happening of happenings) await happening(looker);
  };
}

async function unpeekRoom({ client, room }: Looker): Promise<void> {
  await unpeek(client, room);
}

async function peekRoom({ client, room }: Looker): Promise<void> {
  await peek(client, room);
}

async function joinRoom({ client, room }: Looker): Promise<void> {
  await join(client, room);
}

async function leaveRoom({ client, room }: Looker): Promise<void> {
  await leave(client, room);
}

async function expiry({ s }: Looker): Promise<void> {
  s.server.clock.advance(LIFETIME_MS);
}

async function closeAndOpen({ s, room }: Looker): Promise<void> {
  await s.setVisibility(room, 'shared');
  await s.member.send(room, 'between four walls');
  await s.setVisibility(room, 'world_readable');
}

async function purge({ s, room }: Looker): Promise<void> {
  await s.server.keyhole.components.roomserver.api.performPurge({ roomId: room as never });
  await s.server.settled();
}

for (const [what, happen, section] of HAPPENINGS) {
  test(`after ${what}, the same token gets the same answer, and the next one nothing of it`, async () => {
    const s = scene();
    const room = await s.openRoom({ preset: 'public_chat' });
    const { client, since } = await s.looking(room);
    await happen({ client, room, s });
    const first = await client.sync({ since });
    assert.deepEqual(sectionsOf(first, room), section === '' ? [] : [section]);
    assert.deepEqual((await client.sync({ since })).rooms, first.rooms);
    // Each device for itself: that another one syncs changes nothing.
    await (await loginAgain(client)).sync();
    assert.deepEqual((await client.sync({ since })).rooms, first.rooms);
    assert.deepEqual(sectionsOf(await client.sync({ since: first.next_batch }), room), []);
    assert.ok(!JSON.stringify(first).includes('between four walls'));
  });
}

test('after a restart the same tokens get the same answers', async () => {
  const s = scene();
  const lookers: (Looker & { since: string; rooms: Any })[] = [];
  for (const [, happen] of HAPPENINGS.filter(([what]) => !what.includes('expiry'))) {
    const room = await s.openRoom({ preset: 'public_chat' });
    const { client, since } = await s.looking(room);
    await happen({ client, room, s });
    const { rooms } = await client.sync({ since });
    lookers.push({ client, room, s, since, rooms });
  }
  await s.server.restart();
  for (const { client, since, rooms } of lookers) {
    assert.deepEqual((await s.again(client).sync({ since })).rooms, rooms);
  }
});
