// What is held while a look begins: bounded, whatever a server sends.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import { HeldPdus } from './held-pdus.ts';

const ROOM = '!room:b.example' as RoomId;
const SERVER = 'b.example' as ServerName;

/** A transaction may have so much of it. */
const HUGE = { room_id: ROOM, content: { body: 'x'.repeat(8_000_000) } };
const SMALL = { room_id: ROOM, content: { body: 'x' } };

it('holds so much in all, however large an event is', () => {
  const held = new HeldPdus();
  held.open(ROOM, [SERVER]);
  let times = 0;
  while (times < 100 && held.hold(ROOM, SERVER, [HUGE])) times++;
  assert.equal(times, 8);
  assert.equal(held.hold(ROOM, SERVER, [SMALL]), true);
  assert.equal(held.take(ROOM, 2)?.pdus.length, 2);
  assert.equal(held.hold(ROOM, SERVER, [HUGE]), true);
  held.close(ROOM);
  held.open(ROOM, [SERVER]);
  for (let time = 0; time < 8; time++) assert.equal(held.hold(ROOM, SERVER, [HUGE]), true);
});
