// What is told to other servers outside of rooms' histories.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { forEachBackend } from '../../test/contracts/backends.ts';
import { until } from '../../test/until.ts';
import { sql } from '../database/sql.ts';
import type { Receipt, ToDeviceMessage } from '../eventlog/entries.ts';
import type { DeviceId, EventId, UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import {
  ALICE,
  BOB,
  CARL,
  contents,
  type Harness,
  joinedState,
  member,
  message,
  openHarness,
  openSharedRoom,
  ROOM,
} from './testing.ts';

const toDevice = (id: string, recipient = BOB): Omit<ToDeviceMessage, 'v'> => ({
  sender: ALICE,
  recipient,
  deviceId: 'DEV' as DeviceId,
  type: 'm.room_key',
  content: { id },
});

const receipt = (eventId: string, changes: Partial<Receipt> = {}): Omit<Receipt, 'v'> => ({
  userId: ALICE,
  eventId: eventId as EventId,
  type: 'm.read',
  ts: 7,
  ...changes,
});

function messageIds(harness: Harness, server: string): unknown[] {
  return contents(harness, server, 'm.direct_to_device').map((content) => {
    const { [BOB]: devices = {} } = content.messages as Record<string, JsonObject>;
    return (devices.DEV as JsonObject | undefined)?.id;
  });
}

forEachBackend('telling other servers', (backend) => {
  it('sends no more of large messages at once than other servers take', async () => {
    const harness = await openHarness(backend);
    const { append, settled, network, clock } = harness;
    network.down('b.example');
    const ids = Array.from({ length: 16 }, (_, n) => String(n));
    for (const id of ids) {
      const content = { id, text: 'x'.repeat(900_000) };
      await append('edu.to_device', BOB, { ...toDevice(id), content });
    }
    await settled();
    network.up('b.example');
    const before = network.sent().length;
    clock.advance(60_000);
    const sent = () => network.sent().slice(before);
    await until(() => sent().flatMap(({ edus }) => edus).length === ids.length, 'all is sent');
    const sizes = network.sent().map(({ body }) => JSON.stringify(body).length);
    assert.ok(Math.max(...sizes) < 8 * 1024 * 1024, `${sizes}`);
    // The first may have been made when there was but one message.
    assert.ok(sent().length <= 9, `${sent().length} transactions`);
  });

  it('hands messages to devices to the server of the recipient alone, in order', async () => {
    const harness = await openHarness(backend);
    const { append, settled, network } = harness;
    await append('edu.to_device', BOB, toDevice('1'), toDevice('2'));
    await append('edu.to_device', ALICE, toDevice('mine', ALICE));
    await append('edu.to_device', BOB, { ...toDevice('theirs'), sender: CARL });
    await append('edu.to_device', BOB, toDevice('3'));
    await settled();
    assert.deepEqual(messageIds(harness, 'b.example'), ['1', '2', '3']);
    assert.equal(network.sent().length, network.sent('b.example').length);
    const [first] = contents(harness, 'b.example', 'm.direct_to_device');
    assert.equal(first?.sender, ALICE);
    assert.equal(first?.type, 'm.room_key');
    assert.match(String(first?.message_id), /^.{8,32}$/);
  });

  it('keeps messages to devices until the server is back, through a restart, and 100 at once', async () => {
    const harness = await openHarness(backend);
    harness.network.down('b.example');
    const ids = Array.from({ length: 130 }, (_, i) => `${i}`);
    await harness.append('edu.to_device', BOB, ...ids.map((id) => toDevice(id)));
    await harness.settled();
    const again = await harness.restart();
    again.network.up('b.example');
    const before = again.network.sent().length;
    // When to try again is read from the database first.
    await until(() => {
      again.clock.advance(60_000);
      return again.network.sent().length >= before + 2;
    }, 'two transactions');
    const sent = again.network.sent().slice(before);
    assert.deepEqual(
      sent.map(({ edus }) => edus.length),
      [100, 30],
    );
    assert.deepEqual(messageIds(again, 'b.example').slice(-130), ids);
  });

  it('tells who meets whom of those who are there', async () => {
    const harness = await openHarness(backend);
    const { room, settled, eventLog } = harness;
    const amy = '@amy:us.example' as UserId;
    await room(joinedState(ALICE));
    const here = { v: 1, presence: 'online', lastActiveTs: 0 } as const;
    for (const userId of [ALICE, amy]) eventLog.publishEphemeral('edu.presence', userId, here);
    await settled();
    assert.deepEqual(harness.network.sent(), []);
    const people = (server: string) =>
      contents(harness, server, 'm.presence').map(({ push }) => (push as JsonObject[])[0]?.user_id);
    await room(member('bob', BOB, { to: 'join' }));
    await settled();
    assert.deepEqual(people('b.example'), [ALICE]);
    // A second one of the same server is no news, a user of this one is.
    await room(member('bert', '@bert:b.example', { to: 'join' }));
    await room(member('amy', amy, { to: 'join' }));
    await settled();
    assert.deepEqual(people('b.example'), [ALICE, amy]);
    eventLog.publishEphemeral('edu.presence', ALICE, { ...here, presence: 'offline' });
    await settled();
    await room(member('carl', CARL, { to: 'join' }));
    await settled();
    assert.deepEqual(people('c.example'), [amy]);
  });

  it('tells public receipts of its own users, by thread', async () => {
    const harness = await openSharedRoom(backend);
    await harness.append(
      'edu.receipt',
      ROOM,
      receipt('$1'),
      receipt('$2', { threadId: 'main' }),
      receipt('$3', { type: 'm.read.private' }),
      receipt('$4', { userId: BOB }),
    );
    await harness.settled();
    assert.deepEqual(contents(harness, 'b.example', 'm.receipt'), [
      { [ROOM]: { 'm.read': { [ALICE]: { event_ids: ['$1'], data: { ts: 7 } } } } },
      {
        [ROOM]: {
          'm.read': { [ALICE]: { event_ids: ['$2'], data: { ts: 7, thread_id: 'main' } } },
        },
      },
    ]);
    assert.equal(contents(harness, 'c.example', 'm.receipt').length, 2);
  });

  it('lets receipts of a room go at a pace, the last of each user', async () => {
    const harness = await openSharedRoom(backend);
    await harness.append('edu.receipt', ROOM, receipt('$1'));
    await harness.settled();
    await harness.append('edu.receipt', ROOM, receipt('$2'));
    await harness.append('edu.receipt', ROOM, receipt('$3'));
    await harness.settled();
    assert.equal(contents(harness, 'b.example', 'm.receipt').length, 1);
    await harness.later(1_000);
    const told = contents(harness, 'b.example', 'm.receipt');
    assert.equal(told.length, 2);
    assert.match(JSON.stringify(told[1]), /\$3/);
  });

  it('writes nothing down of receipts, typing and presence', async () => {
    const harness = await openSharedRoom(backend);
    await harness.room(message('1'));
    await harness.settled();
    const [answered] = harness.network.requests;
    assert.ok(answered);
    harness.network.answers.set('b.example', async () => {
      const row = await harness.database.get(
        sql`SELECT COUNT(*) AS count FROM federationsender_transactions`,
      );
      stored.push(row);
      return { pdus: {} };
    });
    const stored: unknown[] = [];
    await harness.append('edu.receipt', ROOM, receipt('$1'));
    await harness.settled();
    assert.deepEqual(stored, [{ count: 0 }]);
  });

  it('tells who types, and that it is over, once each', async () => {
    const harness = await openSharedRoom(backend);
    const typing = { userId: ALICE, typing: true, timeoutMs: 20_000 };
    harness.publish('edu.typing', ROOM, typing);
    await harness.settled();
    await harness.later(5_000);
    harness.publish('edu.typing', ROOM, typing);
    harness.publish('edu.typing', ROOM, { ...typing, userId: BOB });
    harness.publish('edu.typing', '!nobody-else:us.example', typing);
    await harness.settled();
    const told = (typing: boolean) => ({ room_id: ROOM, user_id: ALICE, typing });
    assert.deepEqual(contents(harness, 'b.example', 'm.typing'), [told(true)]);
    await harness.later(20_000);
    assert.deepEqual(contents(harness, 'b.example', 'm.typing'), [told(true), told(false)]);
  });

  it('tells the presence of its users to servers that share a room with them', async () => {
    const harness = await openSharedRoom(backend);
    const { clock, publish, settled, room } = harness;
    const presence = {
      presence: 'online' as const,
      statusMsg: 'here',
      lastActiveTs: clock.now() - 5,
    };
    publish('edu.presence', ALICE, presence);
    publish('edu.presence', '@alone:us.example', presence);
    publish('edu.presence', BOB, presence);
    await settled();
    const push = [
      {
        user_id: ALICE,
        presence: 'online',
        status_msg: 'here',
        last_active_ago: 5,
        currently_active: true,
      },
    ];
    assert.deepEqual(contents(harness, 'b.example', 'm.presence'), [{ push }]);
    await room(member('left', ALICE, { from: 'join', to: 'leave' }));
    await settled();
    publish('edu.presence', ALICE, { ...presence, presence: 'offline' });
    await harness.later(60_000);
    assert.equal(contents(harness, 'b.example', 'm.presence').length, 1);
  });

  it('hoards nothing that is over for a server that does not answer', async () => {
    const harness = await openSharedRoom(backend);
    harness.network.down('b.example');
    await harness.append('edu.receipt', ROOM, receipt('$1'));
    await harness.settled();
    await harness.append('edu.receipt', ROOM, receipt('$2'));
    await harness.later(500);
    harness.network.up('b.example');
    const before = harness.network.sent('b.example').length;
    await harness.later(3_600_000);
    assert.equal(harness.network.sent('b.example').length, before);
    // That it may be tried again is written down first.
    await until(async () => {
      await harness.append('edu.receipt', ROOM, receipt('$3'));
      await harness.later(60_000);
      return harness.network.sent('b.example').length > before;
    }, 'what is new is sent');
    assert.match(JSON.stringify(contents(harness, 'b.example', 'm.receipt').at(-1)), /\$3/);
  });

  it('keeps every message for a server that has never answered, but of changes the last', async () => {
    const harness = await openSharedRoom(backend);
    const { append, settled, network } = harness;
    network.down('b.example');
    await harness.room(message('first'));
    await settled();
    const deviceId = 'PHONE' as DeviceId;
    for (let streamId = 1; streamId <= 20; streamId += 1) {
      const change = { kind: 'DeviceListChanged', deviceId, streamId, prevIds: [streamId - 1] };
      await append('userserver.output', ALICE, change as never);
      await append('userserver.output', ALICE, { kind: 'SigningKeysChanged' });
      await append('edu.to_device', BOB, toDevice(`n${streamId}`));
    }
    await settled();
    network.up('b.example');
    await until(async () => {
      await harness.later(3_600_000);
      return contents(harness, 'b.example', 'm.direct_to_device').length === 20;
    }, 'all messages');
    const changes = contents(harness, 'b.example', 'm.device_list_update');
    assert.deepEqual(
      changes.map(({ stream_id, prev_id }) => [stream_id, prev_id]),
      [[20, [19]]],
    );
    assert.equal(contents(harness, 'b.example', 'm.signing_key_update').length, 1);
    assert.equal(contents(harness, 'c.example', 'm.device_list_update').length, 20);
  });
});
