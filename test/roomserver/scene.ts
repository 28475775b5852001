// A room with a member of another server, and short ways to make and input events in it.

import assert from 'node:assert/strict';
import type { Pdu } from '../../src/protocol/events/pdu.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { EventFate } from '../../src/roomserver/api.ts';
import type { Backend } from '../contracts/backends.ts';
import { type ForeignEvent, foreignEvent, TestKeys } from './foreign-server.ts';
import {
  type HarnessOptions,
  HERE,
  makeRoom,
  startRoomserver,
  type TestRoom,
  type TestRoomserver,
  text,
} from './harness.ts';

export const THERE = 'there.test' as ServerName;
export const DAN = '@dan:there.test' as UserId;

export interface Scene extends TestRoomserver {
  readonly keys: TestKeys;
  readonly roomId: RoomId;
  make(event: Omit<ForeignEvent, 'roomId'>): Promise<Pdu>;
  input(...events: Pdu[]): Promise<EventFate[]>;
  /** Makes and inputs one event, which has to be accepted. */
  accept(event: Omit<ForeignEvent, 'roomId'>): Promise<Pdu>;
  fateOf(event: Omit<ForeignEvent, 'roomId'>): Promise<EventFate>;
  current(type: string, stateKey?: string): Promise<EventId | undefined>;
  send(sender: UserId, type: string, stateKey: string, content: JsonObject): Promise<EventId>;
}

/** A room that Dan of another server has joined. */
export async function setUp(
  backend: Pick<Backend, 'open'>,
  room: TestRoom = {},
  options: HarnessOptions = {},
): Promise<Scene> {
  const keys = new TestKeys();
  const server = await startRoomserver(backend, {
    ...options,
    keyRing: keys,
    signingKey: keys.of(HERE),
  });
  const roomId = await makeRoom(server, room);
  const make: Scene['make'] = (event) => foreignEvent(server, keys, { roomId, ...event });
  const input: Scene['input'] = (...events) =>
    server.api.inputEvents({ roomId, origin: THERE, events, kind: 'new' });
  const fateOf: Scene['fateOf'] = async (event) => (await input(await make(event)))[0] as EventFate;
  const accept: Scene['accept'] = async (event) => {
    const pdu = await make(event);
    const [fate] = await input(pdu);
    assert.equal(fate?.fate, 'accepted', JSON.stringify(fate));
    return pdu;
  };
  const current: Scene['current'] = async (type, stateKey = '') => {
    const keysAsked = [{ type, stateKey }];
    return (await server.api.queryStateEvents({ roomId, keys: keysAsked }))[0]?.eventId;
  };
  const send: Scene['send'] = async (sender, type, stateKey, content) =>
    (await server.api.performSendEvent({ roomId, sender, type, stateKey, content })).eventId;
  const scene = { ...server, keys, roomId, make, input, accept, fateOf, current, send };
  await accept({ sender: DAN, type: 'm.room.member', stateKey: DAN, content: JOIN });
  return scene;
}

export const JOIN = { membership: 'join' };
export const message = (sender: UserId, body = 'hello') => ({
  sender,
  type: 'm.room.message',
  content: text(body),
});
