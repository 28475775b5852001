// A peek belongs to its device: what ends, keeps and wakes it, on this device and on others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loginAgain, registerGuest, request, TestClient } from '../client.ts';
import {
  type Any,
  bodies,
  isWhole,
  join,
  peek,
  peekPath,
  sectionsOf,
  types,
  unpeek,
  useScene,
} from './scene.ts';

const scene = useScene();

function password(client: TestClient) {
  const localpart = client.userId.slice(1, client.userId.indexOf(':'));
  const identifier = { type: 'm.id.user', user: client.userId };
  return { type: 'm.login.password', identifier, password: `secret of ${localpart}` };
}

/** Two devices of a user, both of which look. */
async function twoLooking(room: string) {
  const one = await scene().looking(room);
  const other = await scene().looking(room, await loginAgain(one.client));
  return { one, other };
}

async function isPeeking(...clients: readonly TestClient[]): Promise<boolean[]> {
  await scene().server.settled();
  const room = currentRoom;
  return Promise.all(clients.map((client) => scene().server.isPeeking(client, room)));
}

let currentRoom = '';

async function openRoom(more: Record<string, unknown> = {}): Promise<string> {
  currentRoom = await scene().openRoom(more);
  return currentRoom;
}

test('logout ends the peeks of this device, and of no other', async () => {
  const { one, other } = await twoLooking(await openRoom());
  await one.client.ok('POST', '/v3/logout', {});
  assert.deepEqual(await isPeeking(one.client, other.client), [false, true]);
});

test('logout of all devices ends all peeks', async () => {
  const { one, other } = await twoLooking(await openRoom());
  await one.client.ok('POST', '/v3/logout/all', {});
  assert.deepEqual(await isPeeking(one.client, other.client), [false, false]);
});

test('deleting devices ends their peeks', async () => {
  const { one, other } = await twoLooking(await openRoom());
  const devices = [one.client.deviceId];
  await other.client.ok('POST', '/v3/delete_devices', { devices, auth: password(other.client) });
  assert.deepEqual(await isPeeking(one.client, other.client), [false, true]);
});

test('a changed password ends the peeks of the devices that it logs out', async () => {
  const { one, other } = await twoLooking(await openRoom());
  const change = { new_password: 'another secret', auth: password(one.client) };
  await one.client.ok('POST', '/v3/account/password', { ...change, logout_devices: false });
  assert.deepEqual(await isPeeking(one.client, other.client), [true, true]);
  const auth = { ...password(one.client), password: 'another secret' };
  await one.client.ok('POST', '/v3/account/password', { new_password: 'a third secret', auth });
  assert.deepEqual(await isPeeking(one.client, other.client), [true, false]);
});

test('deactivation ends all peeks, and nobody hears of them again', async () => {
  const { one, other } = await twoLooking(await openRoom());
  await one.client.ok('POST', '/v3/account/deactivate', { auth: password(one.client) });
  assert.deepEqual(await isPeeking(one.client, other.client), [false, false]);
  assert.equal((await one.client.call('GET', '/v3/sync')).status, 401);
});

test('a device that comes into being under the same ID has no peeks', async () => {
  const room = await openRoom();
  const { client, since } = await scene().looking(room);
  await client.ok('POST', '/v3/logout', {});
  const device_id = client.deviceId;
  const { baseUrl } = scene().server;
  const session = await request(baseUrl, 'POST', '/v3/login', { ...password(client), device_id });
  const again = new TestClient(baseUrl, session.body);
  assert.equal(again.deviceId, client.deviceId);
  assert.deepEqual(sectionsOf(await again.sync(), room), []);
  assert.deepEqual(sectionsOf(await again.sync({ since }), room), []);
});

test('whatever comes first, a logout or a peek, the device that is gone looks into nothing', async () => {
  for (let turn = 0; turn < 8; turn += 1) {
    const room = await openRoom();
    const client = await scene().newUser();
    const started = client.call('POST', peekPath(room), {});
    const ended = client.ok('POST', '/v3/logout', {});
    const { status } = await started;
    assert.ok([200, 401].includes(status));
    await ended;
    await scene().server.settled();
    assert.deepEqual(await isPeeking(client), [false]);
  }
});

test('a guest who becomes an ordinary user goes on looking on the same device', async () => {
  const room = await openRoom();
  const guest = await registerGuest(scene().server.baseUrl);
  const { since } = await scene().looking(room, guest);
  const answer = await request(scene().server.baseUrl, 'POST', '/v3/register', {
    username: guest.userId.slice(1, guest.userId.indexOf(':')),
    password: 'no guest any more',
    guest_access_token: guest.token,
    device_id: guest.deviceId,
    auth: { type: 'm.login.dummy' },
  });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  await scene().member.send(room, 'for guests and others');
  const user = new TestClient(scene().server.baseUrl, answer.body);
  const { rooms } = await user.sync({ since });
  assert.deepEqual(bodies(rooms.peek[room]), ['for guests and others']);
});

test('what another device does wakes this one: a join, which ends the peek here', async () => {
  const room = await openRoom({ preset: 'public_chat' });
  const { one, other } = await twoLooking(room);
  // That there is another device is news, too.
  const { next_batch: since } = await one.client.sync({ since: one.since });
  const waiting = one.client.sync({ since, timeout: '30000' });
  await scene().server.untilWaiting(one.client);
  await join(other.client, room);
  const { rooms } = await waiting;
  assert.deepEqual(Object.keys(rooms), ['join']);
  assert.deepEqual(types(rooms.join[room], 'state'), []);
});

test('an unpeek, a new peek and the end of visibility wake the device that waits', async () => {
  const room = await openRoom();
  const { client, since } = await scene().looking(room);
  const steps: readonly [() => Promise<unknown>, string][] = [
    [() => unpeek(client, room), 'leave'],
    [() => peek(client, room), 'peek'],
    [() => scene().setVisibility(room, 'joined'), 'leave'],
  ];
  let from = since;
  for (const [step, section] of steps) {
    const waiting = client.sync({ since: from, timeout: '30000' });
    await scene().server.untilWaiting(client);
    await step();
    const answer = await waiting;
    assert.deepEqual(sectionsOf(answer, room), [section]);
    from = answer.next_batch;
  }
});

test('two syncs of a device at once get the same', async () => {
  const room = await openRoom();
  const { client, since } = await scene().looking(room);
  const both = [0, 1].map(() => client.sync({ since, timeout: '30000' }));
  await scene().server.untilWaiting(client);
  await scene().member.send(room, 'for both');
  for (const { rooms } of await Promise.all(both)) {
    assert.deepEqual(bodies(rooms.peek[room]), ['for both']);
  }
});

test('peeks and unpeeks at once leave the device with what came last, and the state with it', async () => {
  const room = await openRoom();
  for (let turn = 0; turn < 5; turn += 1) {
    const { client, since } = await scene().looking(room);
    const calls = [unpeek, peek, unpeek, peek].map((act) => act(client, room).catch(() => {}));
    await Promise.all(calls);
    await scene().server.settled();
    const [isActive] = await isPeeking(client);
    const answer = await client.sync({ since });
    const [section] = sectionsOf(answer, room);
    assert.ok(section === (isActive ? 'peek' : 'leave') || (isActive && section === undefined));
    if (section === 'peek') assert.ok(isWhole(answer.rooms.peek[room]));
    const whole: Any = (await client.sync()).rooms?.peek?.[room];
    assert.equal(whole !== undefined, isActive);
  }
});
