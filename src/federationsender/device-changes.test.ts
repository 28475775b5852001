// What is told to other servers of the devices and keys of users of this one.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { forEachBackend } from '../../test/contracts/backends.ts';
import { until } from '../../test/until.ts';
import type { DeviceId, RoomId, UserId } from '../protocol/identifiers.ts';
import { ALICE, BOB, contents, joinedState, member, message, openSharedRoom } from './testing.ts';

forEachBackend('telling other servers of devices', (backend) => {
  it('tells a server that was away of the last changes of those with whom it shares a room, once', async () => {
    const harness = await openSharedRoom(backend);
    const { append, settled, network } = harness;
    network.down('b.example');
    await harness.room(message('first'));
    await settled();
    const changed = async (user: string, streamId: number) => {
      const deviceId = 'PHONE' as DeviceId;
      const change = { kind: 'DeviceListChanged', deviceId, streamId, prevIds: [streamId - 1] };
      await append('userserver.output', user, change as never);
    };
    await changed(ALICE, 1);
    await changed('@stranger:us.example', 2);
    await changed(ALICE, 3);
    await settled();
    const again = await harness.restart();
    network.up('b.example');
    const told = () =>
      contents(again, 'b.example', 'm.device_list_update').map(({ stream_id }) => stream_id);
    await until(async () => {
      await again.later(3_600_000);
      return told().length > 0;
    }, 'the change');
    await again.later(3_600_000);
    assert.deepEqual(told(), [3]);
    const next = { kind: 'DeviceListChanged', deviceId: 'PHONE', streamId: 4, prevIds: [3] };
    await again.append('userserver.output', ALICE, next as never);
    await again.settled();
    assert.deepEqual(told(), [3, 4]);
    network.down('b.example');
    await again.room(message('second'));
    await again.settled();
    network.up('b.example');
    await again.later(3_600_000);
    await again.later(3_600_000);
    assert.deepEqual(told(), [3, 4]);
  });

  it('tells servers that share a room with a user of her devices and keys, in order', async () => {
    const harness = await openSharedRoom(backend);
    const { append, settled, network } = harness;
    const deviceId = 'PHONE' as DeviceId;
    const keys = { device_id: deviceId };
    await append(
      'userserver.output',
      ALICE,
      { kind: 'DeviceListChanged', deviceId, streamId: 1, prevIds: [], keys, displayName: 'Phone' },
      { kind: 'SigningKeysChanged', masterKey: { usage: ['master'] } },
      { kind: 'KeysChangedForOne', userIds: [BOB] },
      { kind: 'DeviceListChanged', deviceId, streamId: 2, prevIds: [1], deleted: true },
    );
    const stranger = '@stranger:us.example';
    await append('userserver.output', stranger, { kind: 'SigningKeysChanged' });
    await settled();
    for (const server of ['b.example', 'c.example']) {
      assert.deepEqual(
        network.sent(server).flatMap(({ edus }) => edus),
        [
          {
            edu_type: 'm.device_list_update',
            content: {
              user_id: ALICE,
              device_id: deviceId,
              stream_id: 1,
              prev_id: [],
              keys,
              device_display_name: 'Phone',
            },
          },
          {
            edu_type: 'm.signing_key_update',
            content: { user_id: ALICE, master_key: { usage: ['master'] } },
          },
          {
            edu_type: 'm.device_list_update',
            content: {
              user_id: ALICE,
              device_id: deviceId,
              stream_id: 2,
              prev_id: [1],
              deleted: true,
            },
          },
        ],
      );
    }
  });

  it('tells servers that a user meets in a room of her devices and keys, and no others', async () => {
    const harness = await openSharedRoom(backend);
    const { append, settled, network } = harness;
    const dora = '@dora:us.example' as UserId;
    const change = (streamId: number) => ({
      kind: 'DeviceListChanged' as const,
      deviceId: 'PHONE' as DeviceId,
      streamId,
      prevIds: streamId === 1 ? [] : [streamId - 1],
    });
    await append('userserver.output', dora, change(1), { kind: 'SigningKeysChanged' }, change(2));
    await settled();
    assert.deepEqual(network.sent(), []);
    network.down('c.example');
    await harness.room(message('c is away'));
    await settled();
    const comes = (from: string) => harness.room(member(from, dora, { from, to: 'join' }));
    const goes = () => harness.room(member('goes', dora, { from: 'join', to: 'leave' }));
    const told = (server: string) =>
      contents(harness, server, 'm.device_list_update').map(({ stream_id }) => stream_id);
    await comes('invite');
    await settled();
    assert.deepEqual(told('b.example'), [2]);
    assert.equal(contents(harness, 'b.example', 'm.signing_key_update').length, 1);
    const elsewhere = '!elsewhere:us.example' as RoomId;
    await append('roomserver.output', elsewhere, joinedState(BOB, dora));
    await goes();
    await comes('leave');
    await settled();
    assert.deepEqual(told('b.example'), [2], 'b shares another room with her');
    network.up('c.example');
    const before = told('c.example').length;
    await until(async () => {
      await harness.later(3_600_000);
      return told('c.example').length > before;
    }, 'c hears of it when it is back');
    assert.deepEqual(told('c.example').slice(before), [2]);
  });
});
