// What tests of peeking begin with: a server in this process, one who has rooms, and lookers.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { register, TestClient } from '../client.ts';
import { type InProcessServer, startInProcess } from '../server-in-process.ts';

// biome-ignore lint/suspicious/noExplicitAny: responses of every shape
export type Any = any;

/** A device that has been sent the state of the room into which it looks. */
export interface Looking {
  readonly client: TestClient;
  readonly since: string;
}

let names = 0;

export class Scene {
  readonly server: InProcessServer;
  readonly member: TestClient;

  constructor(server: InProcessServer, member: TestClient) {
    this.server = server;
    this.member = member;
  }

  newUser(): Promise<TestClient> {
    names += 1;
    return register(this.server.baseUrl, `looker${names}`);
  }

  /** Of the member, world-readable. */
  openRoom(more: Record<string, unknown> = {}): Promise<string> {
    return this.room('world_readable', more);
  }

  room(visibility: string, more: Record<string, unknown> = {}): Promise<string> {
    const type = 'm.room.history_visibility';
    const state = { type, state_key: '', content: { history_visibility: visibility } };
    return this.member.createRoom({ initial_state: [state], ...more });
  }

  setVisibility(room: string, history_visibility: string): Promise<string> {
    return this.member.setState(room, 'm.room.history_visibility', '', { history_visibility });
  }

  setTopic(room: string, topic: string): Promise<string> {
    return this.member.setState(room, 'm.room.topic', '', { topic });
  }

  encrypt(room: string): Promise<string> {
    return this.member.setState(room, 'm.room.encryption', '', {
      algorithm: 'm.megolm.v1.aes-sha2',
    });
  }

  async lines(room: string, count: number): Promise<void> {
    for (let line = 0; line < count; line += 1) await this.member.send(room, `line ${line}`);
  }

  /** As a new user, or as the given device. */
  async looking(room: string, as?: TestClient): Promise<Looking> {
    const client = as ?? (await this.newUser());
    await peek(client, room);
    const { next_batch: since, rooms } = await client.sync();
    assert.ok(rooms.peek[room]);
    return { client, since };
  }

  /** The device as it is after a restart, at the new address. */
  again(client: TestClient): TestClient {
    const { userId: user_id, deviceId: device_id, token: access_token } = client;
    return new TestClient(this.server.baseUrl, { user_id, device_id, access_token });
  }
}

/** One server for the tests of a file; what it returns may be used within them. */
export function useScene(config: Record<string, unknown> = {}): () => Scene {
  let scene: Scene | undefined;
  before(async () => {
    const server = await startInProcess({ config });
    scene = new Scene(server, await register(server.baseUrl, 'member'));
  });
  after(() => scene?.server.close());
  return () => {
    assert.ok(scene);
    return scene;
  };
}

export function roomPath(room: string, rest: string): string {
  return `/v3/rooms/${encodeURIComponent(room)}/${rest}`;
}

export function peekPath(room: string): string {
  return `/v3/peek/${encodeURIComponent(room)}`;
}

export function peek(client: TestClient, room: string): Promise<Any> {
  return client.ok('POST', peekPath(room), {});
}

export function unpeek(client: TestClient, room: string): Promise<Any> {
  return client.ok('POST', roomPath(room, 'unpeek'), {});
}

/** `as` others do it to the client. */
export function join(client: TestClient, room: string): Promise<Any> {
  return client.ok('POST', roomPath(room, 'join'), {});
}

export function leave(client: TestClient, room: string): Promise<Any> {
  return client.ok('POST', roomPath(room, 'leave'), {});
}

export function change(
  client: TestClient,
  room: string,
  action: 'invite' | 'kick' | 'ban' | 'unban',
  target: TestClient,
): Promise<Any> {
  return client.ok('POST', roomPath(room, action), { user_id: target.userId });
}

/** Status and errcode. */
export async function refusal(
  client: TestClient,
  [method, path, body]: readonly [method: string, path: string, body?: unknown],
): Promise<readonly [number, string | undefined]> {
  const answer = await client.call(method, path, body);
  return [answer.status, answer.body.errcode];
}

export function bodies(section: Any): string[] {
  return (section?.timeline?.events ?? [])
    .map((event: Any) => event.content.body)
    .filter((body: unknown) => body !== undefined);
}

export function types(section: Any, part = 'timeline'): string[] {
  return (section?.[part]?.events ?? []).map((event: Any) => event.type);
}

export function ids(section: Any): string[] {
  return (section?.timeline?.events ?? []).map((event: Any) => event.event_id);
}

export function isWhole(section: Any): boolean {
  return [...types(section, 'state'), ...types(section)].includes('m.room.create');
}

/** Which sections of the answer show the room. */
export function sectionsOf(answer: Any, room: string): string[] {
  return Object.keys(answer.rooms ?? {}).filter((name) => answer.rooms[name][room] !== undefined);
}
