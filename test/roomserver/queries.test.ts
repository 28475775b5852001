// What other components ask the roomserver.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { EventId, UserId } from '../../src/protocol/identifiers.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { ALICE, BOB, CAROL, makeRoom, startRoomserver, text } from './harness.ts';

forEachBackend('queries', (backend) => {
  it('tells what a snapshot holds, what differs between two, and a key across many', async () => {
    const { api, entries, ...server } = await startRoomserver(backend);
    const roomId = await makeRoom(server);
    const start = (await api.queryRoom({ roomId }))?.currentState ?? '';
    const set = async (type: string, n: number) => {
      const base = { roomId, sender: ALICE, stateKey: '' };
      return (await api.performSendEvent({ ...base, type, content: { n } })).eventId;
    };
    const first = await set('m.room.topic', 1);
    const middle = (await api.queryRoom({ roomId }))?.currentState ?? '';
    const second = await set('m.room.topic', 2);
    await api.performJoin({ roomIdOrAlias: roomId, userId: BOB, serverNames: [], content: {} });
    const [member] = await api.queryMemberships({ roomId, userIds: [BOB, CAROL] });
    const end = (await api.queryRoom({ roomId }))?.currentState ?? '';

    const { changes } = await api.queryStateDelta({ roomId, from: start, to: end });
    assert.deepEqual(changes, [
      { type: 'm.room.topic', stateKey: '', to: second },
      { type: 'm.room.member', stateKey: BOB, to: member?.eventId },
    ]);
    const back = await api.queryStateDelta({ roomId, from: end, to: middle });
    assert.deepEqual(back.changes, [
      { type: 'm.room.topic', stateKey: '', from: second, to: first },
      { type: 'm.room.member', stateKey: BOB, from: member?.eventId },
    ]);
    const topic = { type: 'm.room.topic', stateKey: '' };
    const across = await api.queryStateAcross({
      roomId,
      snapshots: [start, middle, end],
      ...topic,
    });
    assert.deepEqual(across, [undefined, first, second]);
    const [then] = await api.queryStateEvents({ roomId, snapshot: middle, keys: [topic] });
    assert.deepEqual(then?.json.content, { n: 1 });
    const absent = { type: 'm.room.name', stateKey: '' };
    const now = await api.queryStateEvents({ roomId, keys: [absent, topic] });
    assert.deepEqual(
      now.map(({ eventId, replacesState }) => [eventId, replacesState]),
      [[second, first]],
    );
    const only = await api.queryStateIds({ roomId, members: 'only' });
    assert.deepEqual(only.entries.map(({ stateKey }) => stateKey).sort(), [ALICE, BOB]);
    const all = await api.queryStateIds({ roomId, members: 'all' });
    const none = await api.queryStateIds({ roomId, members: 'none' });
    assert.equal(all.entries.length, only.entries.length + none.entries.length);
    const before = await api.queryStateIds({ roomId, snapshot: start, members: 'all' });
    assert.equal(before.entries.length, 4);
    await server.close();
  });

  it('gives events in the order asked for, with the visibility at each', async () => {
    const { api, ...server } = await startRoomserver(backend);
    const roomId = await makeRoom(server);
    const say = async () =>
      (
        await api.performSendEvent({
          roomId,
          sender: ALICE,
          type: 'm.room.message',
          content: text('x'),
        })
      ).eventId;
    const show = async (visibility: string) => {
      const base = { roomId, sender: ALICE, type: 'm.room.history_visibility', stateKey: '' };
      const content = { history_visibility: visibility };
      return (await api.performSendEvent({ ...base, content })).eventId;
    };
    const eventIds = [
      await say(),
      await show('world_readable'),
      await say(),
      await show('joined'),
      await say(),
      await show('nonsense'),
      await say(),
    ];
    const found = await api.queryEvents({ eventIds: [...eventIds, '$none' as EventId] });
    assert.deepEqual(
      found.map(({ eventId }) => eventId),
      eventIds,
    );
    assert.deepEqual(
      found.map(({ visibilityAtEvent }) => visibilityAtEvent),
      [
        'shared',
        'world_readable',
        'world_readable',
        'world_readable',
        'joined',
        'shared',
        'shared',
      ],
    );
    const reversed = await api.queryEvents({ eventIds: eventIds.toReversed() });
    assert.deepEqual(reversed, found.toReversed());
    await server.close();
  });

  it('tells power, with defaults and creators', async () => {
    const { api, ...server } = await startRoomserver(backend);
    const roomId = await makeRoom(server, { roomVersion: '12' });
    await api.performSendEvent({
      roomId,
      sender: ALICE,
      type: 'm.room.power_levels',
      stateKey: '',
      content: {
        users: { [BOB]: 40 },
        users_default: 5,
        events: { 'm.room.name': 30 },
        notifications: { room: 20 },
        ban: 70,
      },
    });
    const power = await api.queryPower({ roomId, userId: BOB });
    assert.deepEqual(power, {
      userLevel: 40,
      invite: 0,
      kick: 50,
      ban: 70,
      redact: 50,
      stateDefault: 50,
      eventsDefault: 0,
      events: { 'm.room.name': 30 },
      notifications: { room: 20 },
    });
    const levelOf = async (userId: UserId) => (await api.queryPower({ roomId, userId })).userLevel;
    assert.equal(await levelOf(CAROL), 5);
    assert.equal(await levelOf(ALICE), Number.MAX_SAFE_INTEGER);
    await server.close();
  });
});
