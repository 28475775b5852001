// What tests of federation begin with: servers, users of theirs who read, and rooms that both are in.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { TestClient } from '../client.ts';
import { type Network, type NetworkOptions, startNetwork } from './network.ts';
import { Reader } from './reader.ts';

// biome-ignore lint/suspicious/noExplicitAny: responses of every shape
export type Any = any;

let users = 0;

export class Scene {
  readonly network: Network;

  constructor(network: Network) {
    this.network = network;
  }

  /** A new user of the server who reads. */
  async user(server: number, name = 'user'): Promise<Reader> {
    users += 1;
    const client = await this.network.server(server).user(`${name}${users}`);
    const reader = new Reader(this.network, client);
    await reader.poll();
    return reader;
  }

  serverName(server: number): string {
    return this.network.server(server).name;
  }

  /** A public room of the first, joined by the others, who see each other. */
  async sharedRoom(owner: Reader, others: readonly Reader[], more = {}): Promise<string> {
    const roomId = await owner.client.createRoom({ preset: 'public_chat', ...more });
    for (const other of others) await join(other.client, roomId, serverOf(owner.client));
    const all = [owner, ...others];
    const isHere = (userId: string) => (event: Any) => isMember(event, userId, 'join');
    for (const reader of all) {
      for (const { client } of others)
        await reader.sees(roomId, isHere(client.userId), `${client.userId} is here`);
    }
    return roomId;
  }

  /** Resolves once the users' servers have the same current state of the room. */
  async sameState(roomId: string, readers: readonly Reader[]): Promise<Record<string, string>> {
    let states: Record<string, string>[] = [];
    const isSame = async () => {
      states = await Promise.all(readers.map(({ client }) => stateOf(client, roomId)));
      return states.every((state) => JSON.stringify(state) === JSON.stringify(states[0]));
    };
    await this.network.pump(isSame, 'the same state').catch((error: Error) => {
      throw new Error(`${error.message}: ${differences(states)}`);
    });
    return states[0] ?? {};
  }
}

/** One network for the tests of a file; what it returns may be used within them. */
export function useNetwork(options: NetworkOptions): () => Scene {
  let scene: Scene | undefined;
  before(async () => {
    scene = new Scene(await startNetwork(options));
  });
  after(() => scene?.network.close());
  return () => {
    assert.ok(scene);
    return scene;
  };
}

export function serverOf({ userId }: { userId: string }): string {
  return userId.slice(userId.indexOf(':') + 1);
}

export function roomPath(roomId: string, rest: string): string {
  return `/v3/rooms/${encodeURIComponent(roomId)}/${rest}`;
}

/** By way of a server. */
export function join(client: TestClient, roomIdOrAlias: string, via?: string): Promise<Any> {
  const query = via === undefined ? '' : `?via=${encodeURIComponent(via)}`;
  return client.ok('POST', `/v3/join/${encodeURIComponent(roomIdOrAlias)}${query}`, {});
}

export function leave(client: TestClient, roomId: string): Promise<Any> {
  return client.ok('POST', roomPath(roomId, 'leave'), {});
}

export function change(
  client: TestClient,
  roomId: string,
  action: 'invite' | 'kick' | 'ban' | 'unban',
  userId: string,
): Promise<Any> {
  return client.ok('POST', roomPath(roomId, action), { user_id: userId });
}

export function isMember(event: Any, userId: string, membership: string): boolean {
  const { type, state_key, content } = event;
  return type === 'm.room.member' && state_key === userId && content.membership === membership;
}

/** Event ids of the current state, by type and state key, in order of these. */
export async function stateOf(client: TestClient, roomId: string): Promise<Record<string, string>> {
  const events: Any[] = await client.ok('GET', roomPath(roomId, 'state'));
  const entries = events.map(({ type, state_key, event_id }) => [`${type} ${state_key}`, event_id]);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

function differences(states: readonly Record<string, string>[]): string {
  const keys = new Set(states.flatMap((state) => Object.keys(state)));
  const lines = [...keys]
    .map((key) => [key, ...states.map((state) => state[key] ?? 'none')])
    .filter(([, first, ...others]) => others.some((other) => other !== first));
  return JSON.stringify(lines);
}

/** All events of the room's history that the client gets by scrolling back, newest first. */
export async function history(client: TestClient, roomId: string): Promise<Any[]> {
  const events: Any[] = [];
  let from: string | undefined;
  for (let page = 0; page < 200; page += 1) {
    const query = `messages?dir=b&limit=20${from === undefined ? '' : `&from=${encodeURIComponent(from)}`}`;
    const { chunk, end } = await client.ok('GET', roomPath(roomId, query));
    events.push(...chunk);
    if (end === undefined) return events;
    from = end;
  }
  throw new Error('history does not end');
}
