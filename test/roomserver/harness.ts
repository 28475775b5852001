// A roomserver over a real database and log, with rooms made directly, and its log entries read back.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { ManualClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { openSqlite } from '../../src/database/sqlite.ts';
import { openEmbeddedLog } from '../../src/eventlog/embedded.ts';
import type { RoomEntry } from '../../src/eventlog/entries.ts';
import type { EventLog } from '../../src/eventlog/eventlog.ts';
import { silentLogger } from '../../src/logger.ts';
import type { RoomId, ServerName, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { RoomVersionId } from '../../src/protocol/roomversions/room-version.ts';
import { rulesOf } from '../../src/protocol/roomversions/table.ts';
import { generateSigningKey } from '../../src/protocol/signing-key.ts';
import { assemble, type RoomserverOptions } from '../../src/roomserver/assemble.ts';
import type { RoomserverContext } from '../../src/roomserver/context.ts';
import { foundRoom } from '../../src/roomserver/rooms/found-room.ts';
import { apiOf, type Roomserver } from '../../src/roomserver/roomserver.ts';
import { appendLocalEvent } from '../../src/roomserver/send/append-local-event.ts';
import type { Backend, BackendOptions } from '../contracts/backends.ts';

export const HERE = 'here.test' as ServerName;
export const ALICE = '@alice:here.test' as UserId;
export const BOB = '@bob:here.test' as UserId;
export const CAROL = '@carol:here.test' as UserId;

export interface TestRoomserver {
  readonly api: Roomserver['api'];
  readonly context: RoomserverContext;
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: ManualClock;
  /** All entries so far, without their version, in order of position. */
  entries(roomId: RoomId): Promise<Entry[]>;
  close(): Promise<void>;
}

export type Entry = RoomEntry & { readonly position: number };

export type HarnessOptions = BackendOptions &
  Partial<
    Pick<
      RoomserverOptions,
      'keyRing' | 'missingEvents' | 'serverName' | 'signingKey' | 'federationsender' | 'federation'
    >
  >;

export async function startRoomserver(
  backend: Pick<Backend, 'open'>,
  {
    keyRing,
    missingEvents,
    federationsender,
    federation,
    signingKey,
    serverName = HERE,
    ...backendOptions
  }: HarnessOptions = {},
): Promise<TestRoomserver> {
  const clock = new ManualClock();
  const database = await backend.open(backendOptions);
  const eventLog = await openEmbeddedLog({ database, clock, logger: silentLogger });
  const { context, close } = await assemble({
    database,
    eventLog,
    clock,
    logger: silentLogger,
    serverName,
    signingKey: signingKey ?? generateSigningKey(),
    config: { defaultRoomVersion: '12', peeking: { lifetimeMs: 3_600_000 } },
    ...(keyRing && { keyRing }),
    ...(missingEvents && { missingEvents }),
    ...(federationsender && { federationsender }),
    ...(federation && { federation }),
  });
  return {
    api: apiOf(context),
    context,
    database,
    eventLog,
    clock,
    entries: (roomId) => readEntries(database, eventLog, roomId),
    close: async () => {
      await close();
      await eventLog.close();
      await database.close();
    },
  };
}

let consumers = 0;

async function readEntries(
  database: Database,
  eventLog: EventLog,
  roomId: RoomId,
): Promise<Entry[]> {
  const found: Entry[] = [];
  const head = await eventLog.head('roomserver.output');
  const subscription = eventLog.consume({
    name: `test-${consumers++}`,
    topic: 'roomserver.output',
    database,
    apply: async (_tx, entries) => {
      for (const { key, entry, position } of entries) {
        // As after a restart: what is in memory may be more than the plain data that interfaces promise.
        if (key === roomId) found.push(JSON.parse(JSON.stringify({ ...entry, position })) as Entry);
      }
    },
  });
  await subscription.reached(head, 10_000);
  await subscription.close();
  return found;
}

/** A second database beside that of the running test, for another server. */
export function otherDatabase(): Pick<Backend, 'open'> {
  const folder = mkdtempSync(join(tmpdir(), 'keyhole-test-'));
  after(() => rmSync(folder, { recursive: true }));
  return { open: (options) => openSqlite({ path: join(folder, 'other.db'), ...options }) };
}

export interface TestRoom {
  readonly creator?: UserId;
  readonly roomVersion?: RoomVersionId;
  readonly state?: readonly { type: string; stateKey?: string; content: JsonObject }[];
}

let rooms = 0;

/** A public room of one member, with power levels and shared history. */
export async function makeRoom(
  { context }: Pick<TestRoomserver, 'context'>,
  { creator = ALICE, roomVersion = '11', state = [] }: TestRoom = {},
): Promise<RoomId> {
  const rules = rulesOf(roomVersion);
  const content = {
    room_version: roomVersion,
    // In room version 12 equal m.room.create events make the same room.
    'test.serial': rooms++,
    ...(rules.implicitCreator ? {} : { creator }),
  };
  const { value } = await foundRoom(context, { creator, roomVersion, content }, async (room) => {
    const send = (type: string, stateKey: string, body: JsonObject) =>
      appendLocalEvent(context, room, { type, stateKey, sender: creator, content: body });
    await send('m.room.member', creator, { membership: 'join' });
    const users = rules.privilegedCreators ? {} : { [creator]: 100 };
    await send('m.room.power_levels', '', { users });
    await send('m.room.join_rules', '', { join_rule: 'public' });
    for (const { type, stateKey = '', content: body } of state) await send(type, stateKey, body);
    return room.roomId;
  });
  return value;
}

export function text(body: string): JsonObject {
  return { msgtype: 'm.text', body };
}
