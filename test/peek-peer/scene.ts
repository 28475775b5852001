// Keyhole and a peer that look into each other's rooms, with a clock that the test moves.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { sql } from '../../src/database/sql.ts';
import type { TestClient } from '../client.ts';
import { type ComposedServer, type Network, startNetwork } from '../federation/network.ts';
import { until } from '../until.ts';
import type { Dialect } from './dialects.ts';
import type { Json } from './json.ts';
import { PeekPeer } from './peek-peer.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const MONTH_MS = 30 * 24 * HOUR_MS;
/** Where a manual clock begins. */
const BEGINNING = 1_700_000_000_000;

export interface Scene {
  readonly network: Network<ComposedServer>;
  readonly server: ComposedServer;
  readonly peer: PeekPeer;
  /** All there are. */
  readonly peers: readonly PeekPeer[];
  now(): number;
  /** Nobody's patience ends meanwhile: who looks does so for a month. */
  pass(ms: number): Promise<void>;
  /** Lets time pass in small steps until the condition holds. */
  passUntil(holds: () => boolean | Promise<boolean>, what?: string): Promise<void>;
  /** A further peer, with the same clock. */
  newPeer(dialect?: Dialect): Promise<PeekPeer>;
}

export interface SceneOptions {
  readonly dialect?: Dialect;
  readonly servers?: number;
  readonly config?: Record<string, unknown>;
  readonly hasManualTimeouts?: boolean;
}

/** Closed after the test. */
export async function openScene(t: TestContext, options: SceneOptions = {}): Promise<Scene> {
  const scene = await openSceneFor(options);
  t.after(() => closeScene(scene));
  return scene;
}

/** To be closed by who asks. */
export async function openSceneFor(options: SceneOptions): Promise<Scene> {
  const { dialect = 'msc2444', servers = 1, config = {}, hasManualTimeouts = false } = options;
  const peeking = { lifetime_ms: MONTH_MS, grace_ms: MONTH_MS };
  const network = await startNetwork({
    ...{ servers, hasManualTimeouts },
    clock: 'manual',
    config: { peeking, ...config },
  });
  let time = BEGINNING;
  const now = () => time;
  const peers: PeekPeer[] = [];
  const newPeer = async (words: Dialect = 'msc2444') => {
    const peer = await PeekPeer.start({ dialect: words, now });
    peers.push(peer);
    return peer;
  };
  const pass = async (ms: number) => {
    time += ms;
    await network.pass(ms);
  };
  const server = network.server(0);
  const passUntil = (holds: () => boolean | Promise<boolean>, what?: string) =>
    until(async () => {
      if (peers.some(({ isBusy }) => isBusy)) return false;
      await pass(1_000);
      await server.settled();
      return holds();
    }, what);
  const peer = await newPeer(dialect);
  return { network, server, peer, peers, now, pass, passUntil, newPeer };
}

export async function closeScene({ network, peers }: Scene): Promise<void> {
  await network.close();
  for (const peer of peers) await peer.close();
}

let users = 0;

/** A user who looks through the peer, and follows. */
export class Looker {
  readonly client: TestClient;
  readonly roomId: string;
  #since = '';
  /** Bodies of messages, in the order in which they came. */
  readonly seen: string[] = [];
  /** Of the first sync: events of the state and of the timeline. */
  readonly first: Json[] = [];
  /** What stood in `leave`, if anything. */
  left: Json;

  static async begin(scene: Scene, roomId: string, ...via: string[]): Promise<Looker> {
    users += 1;
    const client = await scene.server.user(`looker${users}`);
    const looker = new Looker(client, roomId);
    const answer = await looker.peek(...via);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    await looker.sync();
    // Where time passes before it is known that somebody looks, the subscription is ended and begun anew.
    const { database } = scene.server.keyhole;
    const isWanted = async () => {
      const interest = await database.get(
        sql`SELECT sequence FROM roomserver_peek_interest WHERE room_id = ${roomId} AND wanted = 1`,
      );
      return interest !== undefined;
    };
    await until(isWanted, 'what the roomserver knows of the look');
    return looker;
  }

  constructor(client: TestClient, roomId: string) {
    this.client = client;
    this.roomId = roomId;
  }

  peek(...servers: string[]) {
    return this.client.call('POST', `/v3/peek/${encodeURIComponent(this.roomId)}`, { servers });
  }

  async unpeek(): Promise<void> {
    await this.client.ok('POST', `/v3/rooms/${encodeURIComponent(this.roomId)}/unpeek`);
  }

  async sync(): Promise<void> {
    const query: Record<string, string> = this.#since === '' ? {} : { since: this.#since };
    const answer = await this.client.sync(query);
    const { peek = {}, leave = {} } = answer.rooms ?? {};
    const section = peek[this.roomId] ?? leave[this.roomId];
    const events = section?.timeline?.events ?? [];
    if (this.#since === '') this.first.push(...(section?.state?.events ?? []), ...events);
    this.seen.push(...events.map((event: Json) => event.content.body).filter(Boolean));
    if (leave[this.roomId] !== undefined) this.left = leave[this.roomId];
    this.#since = answer.next_batch;
  }

  async sees(body: string): Promise<void> {
    await until(async () => {
      await this.sync();
      return this.seen.includes(body);
    }, `"${body}" is seen, beside ${this.seen}`);
  }

  async seesTheEnd(): Promise<void> {
    await until(async () => {
      await this.sync();
      return this.left !== undefined;
    }, 'the room is in leave');
  }
}

/** What the server holds of other servers, or is about to tell the end of. */
export async function subscriptions({ server }: Scene): Promise<number> {
  const found = await server.keyhole.database.get<{ count: number }>(
    sql`SELECT count(*) AS count FROM federationsender_outbound_peeks`,
  );
  return found?.count ?? 0;
}

/** By when a subscription has been renewed: at half of its interval, give or take a fifth. */
const RENEWED = { msc2444: 0.6 * HOUR_MS, palpo: 0.6 * HOUR_MS, dendrite: 0.6 * 24 * HOUR_MS };

/** Lets the next renewal fall due, of the only subscription that there is. */
export async function passRenewal(scene: Scene, dialect: Dialect): Promise<void> {
  const { database } = scene.server.keyhole;
  // Time that passes before it is known when would be lost.
  await until(async () => {
    const peek = await database.get<{ next_ts: number }>(
      sql`SELECT next_ts FROM federationsender_outbound_peeks WHERE status = 'active'`,
    );
    return peek !== undefined && peek.next_ts > scene.now();
  }, 'the next renewal');
  await scene.pass(RENEWED[dialect]);
}

/** `METHOD last parts of the path` of requests about peeks. */
export function peekRequests({ requests }: PeekPeer): string[] {
  return requests
    .filter(({ parts }) => parts[2] === 'peek')
    .map(({ method, parts }) => [method, ...parts.slice(5)].join(' '));
}

export function idsOfPuts({ requests }: PeekPeer): string[] {
  return requests
    .filter(({ method, parts }) => method === 'PUT' && parts[2] === 'peek')
    .map(({ parts }) => parts[4] ?? '');
}
