// A federationsender on a database of its own, with a network in which other servers answer as a test says.

import type { Backend } from '../../test/contracts/backends.ts';
import { until } from '../../test/until.ts';
import { ManualClock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { openEmbeddedLog } from '../eventlog/embedded.ts';
import type {
  DurableTopic,
  EntryOf,
  EphemeralTopic,
  NewRoomEvent,
  RoomEntry,
  StateChange,
} from '../eventlog/entries.ts';
import type { EventLog } from '../eventlog/eventlog.ts';
import type { FederationClient, FederationRequest } from '../federation/api.ts';
import { FederationError } from '../federation/federation-error.ts';
import { silentLogger } from '../logger.ts';
import type { EventId, RoomId, ServerName, UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import { createFederationsender, type Federationsender } from './federationsender.ts';
import type { LaneLimits } from './sending/lanes.ts';

export const SERVER = 'us.example' as ServerName;
export const ROOM = '!room:us.example' as RoomId;
export const ALICE = '@alice:us.example' as UserId;
export const BOB = '@bob:b.example' as UserId;
export const CARL = '@carl:c.example' as UserId;

export interface Sent {
  readonly destination: ServerName;
  readonly txnId: string;
  /** Event ids. */
  readonly pdus: readonly string[];
  readonly edus: readonly JsonObject[];
  readonly body: JsonObject;
}

/** How the server answers a request; it answers `{ pdus: {} }` when nothing is said. */
export type Answer = (request: FederationRequest) => Promise<JsonObject> | JsonObject;

interface Refusal {
  readonly errcode?: string;
  readonly retryAfterMs?: number;
  readonly answer?: JsonObject;
}

export class FakeNetwork implements FederationClient {
  readonly requests: FederationRequest[] = [];
  readonly answers = new Map<string, Answer>();
  underWay = 0;

  async request(request: FederationRequest): Promise<JsonObject> {
    this.requests.push(request);
    this.underWay += 1;
    try {
      const answer = this.answers.get(request.destination) ?? (() => ({ pdus: {} }));
      return await answer(request);
    } finally {
      this.underWay -= 1;
    }
  }

  async download(): Promise<never> {
    throw new Error('nobody downloads here');
  }

  async close(): Promise<void> {}

  down(server: string): void {
    this.answers.set(server, ({ destination }) => {
      throw new FederationError('unreachable', destination, { message: 'connection refused' });
    });
  }

  /** To be returned by an answer: throws. */
  refuse(server: ServerName, status: number, details: Refusal = {}): never {
    throw new FederationError('refused', server, { message: 'refused', status, ...details });
  }

  refuses(server: string, status: number, details: Refusal = {}): void {
    this.answers.set(server, ({ destination }) => this.refuse(destination, status, details));
  }

  up(server: string): void {
    this.answers.delete(server);
  }

  /** Transactions, in the order in which they were sent. */
  sent(server?: string): Sent[] {
    return this.requests
      .filter(({ path }) => path.startsWith('/_matrix/federation/v1/send/'))
      .filter(({ destination }) => server === undefined || destination === server)
      .map(({ destination, path, body = {} }) => ({
        destination,
        txnId: path.slice(path.lastIndexOf('/') + 1),
        pdus: (body.pdus as JsonObject[]).map((pdu) => (pdu.content as { id: string }).id),
        edus: (body.edus ?? []) as JsonObject[],
        body,
      }));
  }
}

export interface Harness {
  readonly sender: Federationsender;
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: ManualClock;
  readonly network: FakeNetwork;
  /** Entries of one key, in one unit. */
  append<T extends DurableTopic>(
    topic: T,
    key: string,
    ...entries: readonly WithoutVersion<EntryOf[T]>[]
  ): Promise<void>;
  /** Of ROOM. */
  room(...entries: readonly WithoutVersion<RoomEntry>[]): Promise<void>;
  publish<T extends EphemeralTopic>(topic: T, key: string, entry: EntryOf[T]): void;
  /** Everything in the log has been consumed. */
  consumed(): Promise<void>;
  /** Likewise, and all that is to be sent now was. */
  settled(): Promise<void>;
  /** Moves time forward and lets what falls due happen. */
  later(ms: number): Promise<void>;
  restart(): Promise<Harness>;
}

type WithoutVersion<Entry> = Entry extends unknown ? Omit<Entry, 'v'> : never;

export interface HarnessOptions {
  readonly clock?: ManualClock;
  readonly network?: FakeNetwork;
  readonly limits?: LaneLimits;
  /** Default: always 0.5. */
  readonly random?: () => number;
}

const TOPICS = ['roomserver.output', 'userserver.output', 'edu.to_device', 'edu.receipt'] as const;

export async function openHarness(
  backend: Backend,
  options: HarnessOptions = {},
): Promise<Harness> {
  const { clock = new ManualClock(), network = new FakeNetwork(), limits } = options;
  const { random = () => 0.5 } = options;
  const database = await backend.open({ clock });
  const logger = silentLogger;
  const eventLog = await openEmbeddedLog({ database, clock, logger });
  const sender = await createFederationsender({
    database,
    eventLog,
    clock,
    logger,
    serverName: SERVER,
    client: network,
    random,
    ...(limits && { limits }),
  });
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    await sender.close();
    await eventLog.close();
  };
  backend.closeFirst(stop);
  const append: Harness['append'] = async (topic, key, ...entries) => {
    const versioned = entries.map((entry) => ({ key, entry: { v: 1, ...entry } as never }));
    const ticket = await database.transact((tx) => eventLog.append(tx, topic, versioned));
    await eventLog.position(ticket);
  };
  const settled = async () => {
    await consumed(sender, eventLog);
    await until(() => sender.isIdle() && network.underWay === 0, 'all is sent');
  };
  return {
    sender,
    database,
    eventLog,
    clock,
    network,
    append,
    consumed: () => consumed(sender, eventLog),
    settled,
    publish: (topic, key, entry) => eventLog.publishEphemeral(topic, key, entry),
    room: (...entries) => append('roomserver.output', ROOM, ...entries),
    later: async (ms) => {
      clock.advance(ms);
      await settled();
    },
    restart: async () => {
      await stop();
      await database.close();
      return openHarness(backend, { ...options, clock, network });
    },
  };
}

/** Where users of this server and of two others are. */
export async function openSharedRoom(
  backend: Backend,
  options: HarnessOptions = {},
): Promise<Harness> {
  const harness = await openHarness(backend, options);
  await harness.room(joinedState(ALICE, BOB, CARL));
  await harness.settled();
  return harness;
}

/** Of what the server was sent of that type. */
export function contents({ network }: Harness, server: string, type: string): JsonObject[] {
  return network
    .sent(server)
    .flatMap(({ edus }) => edus)
    .filter((edu) => edu.edu_type === type)
    .map((edu) => edu.content as JsonObject);
}

async function consumed(sender: Federationsender, eventLog: EventLog): Promise<void> {
  for (const topic of TOPICS) {
    const head = await eventLog.head(topic);
    await until(() => sender.position(topic) >= head, `${topic} is consumed`);
  }
}

export interface EventOptions {
  readonly sender?: string;
  readonly sendAs?: ServerName | undefined;
  readonly stateChanges?: readonly StateChange[];
  /** Names of events. */
  readonly extremities?: readonly string[];
}

/** A message of a user of this server. */
export function message(id: string, options: EventOptions = {}): NewRoomEvent {
  const sender = options.sender ?? '@alice:us.example';
  return {
    kind: 'NewRoomEvent',
    event: {
      eventId: `$${id}` as EventId,
      roomVersion: '11',
      json: {
        type: 'm.room.message',
        sender,
        room_id: ROOM,
        content: { id },
        depth: 1,
        origin_server_ts: 1,
      },
    },
    stateChanges: options.stateChanges ?? [],
    stateBefore: 's',
    currentState: 's',
    visibilityAtEvent: 'shared',
    currentVisibility: 'shared',
    encrypted: false,
    ...(options.extremities && {
      extremities: options.extremities.map((name) => `$${name}` as EventId),
    }),
    ...('sendAs' in options
      ? options.sendAs !== undefined && { sendAs: options.sendAs }
      : sender.endsWith(`:${SERVER}`) && { sendAs: SERVER }),
  };
}

export interface Move {
  readonly from?: string;
  readonly to: string;
}

/** A change of who is joined: the member's own event, if no sender is given. */
export function member(id: string, userId: string, options: Move & EventOptions): NewRoomEvent {
  const base = message(id, { sender: userId, ...options });
  return { ...base, stateChanges: [change(`$${id}`, userId, options)] };
}

export function change(eventId: string, userId: string, { from, to }: Move): StateChange {
  return {
    type: 'm.room.member',
    stateKey: userId,
    eventId: eventId as EventId,
    sender: userId as UserId,
    membership: to,
    ...(from !== undefined && { previousMembership: from }),
  };
}

/** The whole state of a room arrived, with these users joined. */
export function joinedState(...userIds: readonly string[]): WithoutVersion<RoomEntry> {
  return {
    kind: 'StateReplaced',
    reason: 'join',
    roomVersion: '11',
    stateChanges: userIds.map((userId, i) => change(`$state${i}`, userId, { to: 'join' })),
    currentState: 's',
    currentVisibility: 'shared',
    encrypted: false,
  };
}
