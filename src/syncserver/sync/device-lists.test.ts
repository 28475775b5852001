import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import type { DeviceId, RoomId, UserId } from '../../protocol/identifiers.ts';
import { ALICE, BOB, CAROL, type Harness, openHarness, viewer } from '../testing/harness.ts';

const DAVE = '@dave:elsewhere.example' as UserId;

function changeDevices({ users }: Harness, userId: UserId): Promise<void> {
  const deviceId = 'PHONE' as DeviceId;
  return users.append(userId, { kind: 'DeviceListChanged', deviceId, streamId: 1, prevIds: [] });
}

async function roomWith({ rooms }: Harness, ...members: UserId[]): Promise<RoomId> {
  const room = await rooms.createRoom(ALICE);
  for (const member of members) await rooms.member(room, member, 'join');
  return room;
}

forEachBackend('device lists', (backend) => {
  test('a change is told to those who share a room and to the user herself, again and again', async () => {
    const harness = await openHarness(backend);
    await roomWith(harness, BOB);
    const others = await harness.rooms.createRoom(CAROL);
    assert.ok(others);
    const since = (await harness.sync(viewer(ALICE))).next_batch;
    const bobs = (await harness.sync(viewer(BOB))).next_batch;
    const carols = (await harness.sync(viewer(CAROL))).next_batch;
    await changeDevices(harness, BOB);
    for (let n = 0; n < 2; n += 1) {
      const { device_lists } = await harness.sync(viewer(ALICE), { since });
      assert.deepEqual(device_lists, { changed: [BOB] });
    }
    const own = await harness.sync(viewer(BOB), { since: bobs });
    assert.deepEqual(own.device_lists, { changed: [BOB] });
    const strangers = await harness.sync(viewer(CAROL), { since: carols });
    assert.equal(strangers.device_lists, undefined);
    const told = (await harness.sync(viewer(ALICE), { since })).next_batch;
    assert.equal((await harness.sync(viewer(ALICE), { since: told })).device_lists, undefined);
    assert.equal((await harness.sync(viewer(ALICE))).device_lists, undefined);
    await harness.start();
    const later = await harness.sync(viewer(ALICE), { since });
    assert.deepEqual(later.device_lists, { changed: [BOB] });
  });

  for (const kind of ['SigningKeysChanged', 'RemoteDeviceListChanged'] as const) {
    test(`${kind} wakes who shares a room`, async () => {
      const harness = await openHarness(backend);
      const changed = kind === 'SigningKeysChanged' ? BOB : DAVE;
      await roomWith(harness, changed);
      const since = (await harness.sync(viewer(ALICE))).next_batch;
      const { answer } = await harness.waitingPoll(viewer(ALICE), { since });
      await harness.users.append(changed, { kind });
      assert.deepEqual((await answer).device_lists, { changed: [changed] });
    });
  }

  test('who only looks into a room is told nothing', async () => {
    const harness = await openHarness(backend);
    const room = await roomWith(harness, BOB, DAVE);
    await harness.rooms.setVisibility(room, 'world_readable');
    const looker = viewer(CAROL);
    const { next_batch: before } = await harness.sync(looker);
    await harness.rooms.peek(room, looker);
    const looking = await harness.sync(looker, { since: before });
    assert.ok(looking.rooms.peek[room]);
    assert.equal(looking.device_lists, undefined);
    await changeDevices(harness, BOB);
    await harness.users.append(DAVE, { kind: 'RemoteDeviceListChanged' });
    await harness.rooms.member(room, BOB, 'leave');
    const { device_lists } = await harness.sync(looker, { since: looking.next_batch });
    assert.equal(device_lists, undefined);
  });

  test('what looks different to one user is told to her alone', async () => {
    const harness = await openHarness(backend);
    await roomWith(harness, BOB);
    const since = (await harness.sync(viewer(ALICE))).next_batch;
    const bobs = (await harness.sync(viewer(BOB))).next_batch;
    const { answer } = await harness.waitingPoll(viewer(ALICE), { since });
    await harness.users.append(ALICE, { kind: 'KeysChangedForOne', userIds: [BOB] });
    assert.deepEqual((await answer).device_lists, { changed: [BOB] });
    assert.equal((await harness.sync(viewer(BOB), { since: bobs })).device_lists, undefined);
    await harness.start();
    const later = await harness.sync(viewer(ALICE), { since });
    assert.deepEqual(later.device_lists.changed, [BOB]);
  });

  test('who comes is met, who goes has left, unless another room is shared', async () => {
    const harness = await openHarness(backend);
    const { rooms } = harness;
    const one = await roomWith(harness, DAVE);
    const other = await roomWith(harness);
    const sync = async (since: string) => {
      const { device_lists, next_batch } = await harness.sync(viewer(ALICE), { since });
      return { lists: device_lists, next: next_batch as string };
    };
    const { next_batch: since } = await harness.sync(viewer(ALICE));
    await rooms.member(one, BOB, 'join');
    const met = await sync(since);
    assert.deepEqual(met.lists, { changed: [BOB] });
    await rooms.member(other, BOB, 'join');
    const again = await sync(met.next);
    assert.deepEqual(again.lists, { changed: [BOB] });
    await rooms.member(one, BOB, 'leave');
    await rooms.member(one, DAVE, 'leave');
    const parted = await sync(again.next);
    assert.deepEqual(parted.lists, { left: [DAVE] });
    await rooms.member(other, BOB, 'leave');
    const gone = await sync(parted.next);
    assert.deepEqual(gone.lists, { left: [BOB] });
    // From further back, and as after a restart: what holds now.
    await harness.start();
    assert.deepEqual((await sync(met.next)).lists, { left: [DAVE, BOB] });
  });

  test('who joins a room meets all in it, who leaves it parts with them', async () => {
    const harness = await openHarness(backend);
    const { rooms } = harness;
    const room = await roomWith(harness, BOB, DAVE);
    const { next_batch: since } = await harness.sync(viewer(CAROL));
    await rooms.member(room, CAROL, 'join');
    const joined = await harness.sync(viewer(CAROL), { since });
    assert.deepEqual(joined.device_lists.changed.toSorted(), [ALICE, BOB, DAVE]);
    await rooms.member(room, BOB, 'leave');
    await rooms.member(room, CAROL, 'leave');
    const left = await harness.sync(viewer(CAROL), { since: joined.next_batch });
    assert.deepEqual(left.device_lists.left.toSorted(), [ALICE, BOB, DAVE]);
    assert.equal(left.device_lists.changed, undefined);
    await changeDevices(harness, ALICE);
    const later = await harness.sync(viewer(CAROL), { since: left.next_batch });
    assert.equal(later.device_lists, undefined);
  });

  test('who leaves and comes back between two requests meets all anew', async () => {
    const harness = await openHarness(backend);
    const { rooms } = harness;
    const room = await roomWith(harness, DAVE, CAROL);
    const { next_batch: since } = await harness.sync(viewer(ALICE));
    await rooms.member(room, ALICE, 'leave');
    await rooms.member(room, CAROL, 'leave');
    await rooms.member(room, ALICE, 'join');
    const { device_lists, next_batch } = await harness.sync(viewer(ALICE), { since });
    assert.deepEqual(device_lists, { changed: [DAVE], left: [CAROL] });
    const later = await harness.sync(viewer(ALICE), { since: next_batch });
    assert.equal(later.device_lists, undefined);
    await rooms.member(room, ALICE, 'join');
    const renamed = await harness.sync(viewer(ALICE), { since: next_batch });
    assert.equal(renamed.device_lists, undefined);
  });

  test('members whom a resolution brings are met as well', async () => {
    const harness = await openHarness(backend);
    const room = await roomWith(harness);
    const { next_batch: since } = await harness.sync(viewer(ALICE));
    await harness.rooms.replaceState(room, {
      sender: DAVE,
      type: 'm.room.member',
      stateKey: DAVE,
      content: { membership: 'join' },
    });
    const { device_lists } = await harness.sync(viewer(ALICE), { since });
    assert.deepEqual(device_lists, { changed: [DAVE] });
  });

  test('another name in a room is no news', async () => {
    const harness = await openHarness(backend);
    const room = await roomWith(harness, BOB);
    const { next_batch: since } = await harness.sync(viewer(ALICE));
    await harness.rooms.setState(room, BOB, {
      type: 'm.room.member',
      stateKey: BOB,
      content: { membership: 'join', displayname: 'Bob' },
    });
    assert.equal((await harness.sync(viewer(ALICE), { since })).device_lists, undefined);
    await harness.start();
    assert.equal((await harness.sync(viewer(ALICE), { since })).device_lists, undefined);
  });

  test('who was away is met anew, and who is invited is met before she comes', async () => {
    const harness = await openHarness(backend);
    const room = await roomWith(harness, DAVE);
    const { next_batch: since } = await harness.sync(viewer(ALICE));
    await harness.rooms.member(room, DAVE, 'leave');
    await harness.rooms.member(room, DAVE, 'join');
    const again = await harness.sync(viewer(ALICE), { since });
    assert.deepEqual(again.device_lists, { changed: [DAVE] });
    await harness.rooms.member(room, CAROL, 'invite');
    const invited = await harness.sync(viewer(ALICE), { since: again.next_batch });
    assert.deepEqual(invited.device_lists, { changed: [CAROL] });
    await harness.rooms.member(room, CAROL, 'leave');
    const { device_lists } = await harness.sync(viewer(ALICE), { since: invited.next_batch });
    assert.equal(device_lists, undefined);
    await harness.start();
    const later = await harness.sync(viewer(ALICE), { since });
    assert.deepEqual(later.device_lists, { changed: [DAVE] });
  });

  test('/keys/changes tells the same', async () => {
    const harness = await openHarness(backend);
    await roomWith(harness, BOB, DAVE);
    const { next_batch: from } = await harness.sync(viewer(ALICE));
    await changeDevices(harness, BOB);
    const { next_batch: to } = await harness.sync(viewer(ALICE), { since: from });
    const changes = (bounds: { from: string; to: string }) =>
      harness.api.deviceListChanges({ viewer: viewer(ALICE), ...bounds });
    assert.deepEqual(await changes({ from, to }), { changed: [BOB], left: [] });
    assert.deepEqual(await changes({ from: to, to }), { changed: [], left: [] });
    await assert.rejects(changes({ from: 'x', to }), { errcode: 'M_INVALID_PARAM' });
    await assert.rejects(changes({ from, to: 'x' }), { errcode: 'M_INVALID_PARAM' });
  });

  test('users of other servers are followed while somebody here shares a room with them', async () => {
    const harness = await openHarness(backend);
    const room = await roomWith(harness, DAVE);
    await harness.settled();
    const followed = async () =>
      (await harness.api.queryFollowed({ userIds: [DAVE, '@eve:elsewhere.example' as UserId] }))
        .userIds;
    assert.deepEqual(await followed(), [DAVE]);
    await harness.rooms.member(room, ALICE, 'leave');
    await harness.settled();
    assert.deepEqual(await followed(), []);
  });
});
