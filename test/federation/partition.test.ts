// Two servers are cut off from each other, and their users go on in the same room, against each other. Once they meet again
// they have one room, and it is the one that the rules of state resolution say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestClient } from '../client.ts';
import { long } from '../long.ts';
import type { Reader } from './reader.ts';
import { type Any, change, join, leave, roomPath, serverOf, useNetwork } from './scene.ts';

const scene = useNetwork({ servers: 2, clock: 'manual' });
const VERSIONS = ['6', '10', '11', '12'] as const;

/** Ann, Ada and Al of the first server; Ben, Bea, Bob and Bo of the second. Ann made the room, Ben is the next in power. */
interface Cast {
  readonly room: string;
  readonly ann: Reader;
  readonly ada: Reader;
  readonly al: Reader;
  readonly ben: Reader;
  readonly bea: Reader;
  readonly bob: Reader;
  readonly bo: Reader;
}

async function gather(roomVersion: string): Promise<Cast> {
  const here = async (name: string) => scene().user(0, name);
  const there = async (name: string) => scene().user(1, name);
  const [ann, ada, al] = [await here('ann'), await here('ada'), await here('al')];
  const [ben, bea, bob] = [await there('ben'), await there('bea'), await there('bob')];
  const bo = await there('bo');
  const room = await ann.client.createRoom({
    preset: 'public_chat',
    room_version: roomVersion,
    power_level_content_override: { events: { 'm.room.power_levels': 90, 'm.room.topic': 50 } },
  });
  for (const { client } of [ada, al, ben, bea, bob, bo])
    await join(client, room, serverOf(ann.client));
  const cast = { room, ann, ada, al, ben, bea, bob, bo };
  await setLevels(ann, room, { [id(ben)]: 90, [id(ada)]: 50, [id(bea)]: 50 });
  await meet(cast);
  return cast;
}

function id({ client }: Reader): string {
  return client.userId;
}

/** `null`: as everybody. */
async function setLevels(
  { client }: Reader,
  room: string,
  changes: Record<string, number | null>,
): Promise<string> {
  const content = await client.ok('GET', roomPath(room, 'state/m.room.power_levels/'));
  const users = { ...content.users };
  for (const [userId, level] of Object.entries(changes)) {
    if (level === null) delete users[userId];
    else users[userId] = level;
  }
  return client.setState(room, 'm.room.power_levels', '', { ...content, users });
}

function topic({ client }: Reader, room: string, text: string): Promise<string> {
  return client.setState(room, 'm.room.topic', '', { topic: text });
}

function part(): void {
  scene().network.partition([[0], [1]]);
}

/** A message from each side, and the same room on both. */
async function meet({ room, ann, ben }: Cast): Promise<Record<string, string>> {
  scene().network.heal();
  await ben.seesId(room, await ann.client.send(room, 'here again'));
  await ann.seesId(room, await ben.client.send(room, 'there again'));
  return scene().sameState(room, [ann, ben]);
}

/** What is in force by what one of the servers says; the other has been compared. */
async function content({ client }: Reader, room: string, key: string): Promise<Any> {
  const answer = await client.call('GET', roomPath(room, `state/${key}`));
  return answer.status === 200 ? answer.body : undefined;
}

async function membership(reader: Reader, room: string, member: Reader): Promise<string> {
  return (await content(reader, room, `m.room.member/${id(member)}`))?.membership;
}

/** By server: whether it has accepted the event. */
async function standings(room: string, eventId: string): Promise<(string | undefined)[]> {
  const rooms = await Promise.all(scene().network.servers.map((server) => server.stored(room)));
  return rooms.map(({ events }) => events.find(({ event_id }) => event_id === eventId)?.standing);
}

async function say(client: TestClient, room: string, count: number): Promise<string[]> {
  const said: string[] = [];
  for (let n = 0; n < count; n += 1) said.push(await client.send(room, `${client.userId} ${n}`));
  return said;
}

for (const version of VERSIONS) {
  test(
    `who was demoted on the other side has done nothing since, room version ${version}`,
    long,
    async () => {
      const cast = await gather(version);
      const { room, ann, ada, al, ben, bea, bob, bo } = cast;
      await topic(ann, room, 'before');
      await meet(cast);
      part();
      // Here Ben loses his power; there he uses it.
      await setLevels(ann, room, { [id(ben)]: null });
      await topic(ann, room, 'here');
      await change(ada.client, room, 'kick', id(bob));
      const banned = await change(ben.client, room, 'ban', id(ada)).then(() => true);
      await setLevels(ben, room, { [id(bob)]: 80 });
      await topic(ben, room, 'there');
      await ben.client.setState(room, 'm.room.name', '', { name: 'of Ben' });
      await leave(bo.client, room);
      const [ofAda] = await say(ada.client, room, 1);
      const [ofBob] = await say(bob.client, room, 1);
      const [ofBea] = await say(bea.client, room, 1);
      const [ofAl] = await say(al.client, room, 1);

      await meet(cast);
      assert.ok(banned);
      assert.equal(await membership(ben, room, ada), 'join');
      assert.equal(await membership(ben, room, bob), 'leave');
      assert.equal(await membership(ann, room, bo), 'leave');
      assert.deepEqual(await content(ben, room, 'm.room.topic/'), { topic: 'here' });
      assert.equal(await content(ann, room, 'm.room.name/'), undefined);
      const { users } = await content(ben, room, 'm.room.power_levels/');
      assert.equal(users[id(ben)], undefined);
      assert.equal(users[id(bob)], undefined);
      // Not what was said by one who had been sent away here, but what was by one whose ban there is no more.
      for (const eventId of [ofBea, ofAl, ofAda]) {
        assert.deepEqual(await standings(room, eventId ?? ''), ['accepted', 'accepted']);
      }
      assert.deepEqual(await standings(room, ofBob ?? ''), ['softFailed', 'accepted']);
      assert.equal(
        (await ben.client.call('PUT', roomPath(room, 'state/m.room.topic/'), {})).status,
        403,
      );
    },
  );

  test(
    `bans, topics and power levels against each other, room version ${version}`,
    long,
    async () => {
      const cast = await gather(version);
      const { room, ann, ada, al, ben, bea, bob, bo } = cast;
      part();
      await change(ann.client, room, 'ban', id(bea));
      await change(ben.client, room, 'ban', id(ada));
      await setLevels(ann, room, { [id(al)]: 50 });
      await setLevels(ben, room, { [id(bob)]: 50 });
      for (const n of [1, 2, 3]) {
        await topic(ann, room, `here ${n}`);
        await topic(ben, room, `there ${n}`);
        await topic(al, room, `here ${n}, of Al`);
        await topic(bob, room, `there ${n}, of Bob`);
      }
      await change(ann.client, room, 'kick', id(bo));
      const [first] = await say(bo.client, room, 30);
      await meet(cast);
      // Neither took anything from the other: both bans hold.
      assert.equal(await membership(ben, room, bea), 'ban');
      assert.equal(await membership(ann, room, ada), 'ban');
      assert.equal(await membership(ann, room, bo), 'leave');
      assert.deepEqual(await standings(room, first ?? ''), ['softFailed', 'accepted']);
      assert.equal((await bea.client.call('POST', roomPath(room, 'join'), {})).status, 403);
      assert.equal((await ada.client.call('POST', roomPath(room, 'join'), {})).status, 403);
      // Of two changes of the levels one is in force, and so is a topic by somebody who may.
      const { users } = await content(ann, room, 'm.room.power_levels/');
      assert.equal(Number(users[id(al)] === 50) + Number(users[id(bob)] === 50), 1);
      const text = (await content(ann, room, 'm.room.topic/')).topic;
      assert.match(
        text,
        users[id(al)] === 50 ? /^here 3, of Al$|^there 3$/ : /^there 3, of Bob$|^here 3$/,
      );
    },
  );
}

test('a long time apart, and all is caught up with', long, async () => {
  const cast = await gather('12');
  const { room, ann, ben, bo } = cast;
  part();
  const said = [...(await say(ann.client, room, 110)), ...(await say(bo.client, room, 110))];
  await leave(bo.client, room);
  await topic(ben, room, 'long ago');
  await scene().network.pass(3_600_000);
  await meet(cast);
  for (const eventId of said) {
    assert.deepEqual(await standings(room, eventId), ['accepted', 'accepted']);
  }
  assert.equal(await membership(ann, room, bo), 'leave');
  assert.deepEqual(await content(ann, room, 'm.room.topic/'), { topic: 'long ago' });
});
