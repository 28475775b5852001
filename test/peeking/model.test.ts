// Random sequences of what members, lookers and time can do, against the model: no event is lost, none is told twice
// outside of a gap, none that is not to be seen; `leave` once; state complete. With lost responses and restarts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loginAgain, register, type TestClient } from '../client.ts';
import { forEachEngine } from '../contracts/backends.ts';
import { type InProcessServer, startInProcess } from '../server-in-process.ts';
import { type Asked, ModelDevice, ModelRoom } from './model.ts';
import { type Any, change, join, leave, peekPath, refusal, roomPath, Scene } from './scene.ts';

const LIFETIME_MS = 3_600_000;
const STEPS = 120;
/** The last one is another each time. */
const SEEDS = [1, 2, Date.now() % 1_000_000];

/** mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Device {
  readonly model: ModelDevice;
  client: TestClient;
}

class Run {
  readonly #server: InProcessServer;
  readonly #random: () => number;
  readonly #rooms = new Map<string, ModelRoom>();
  #scene: Scene;
  #devices: Device[] = [];
  #memberSince: string | undefined;
  #moment = 0;
  #restarts = 0;
  readonly log: string[] = [];

  constructor(scene: Scene, random: () => number) {
    this.#scene = scene;
    this.#server = scene.server;
    this.#random = random;
  }

  async begin(seed: number): Promise<void> {
    for (const name of ['ann', 'ben']) {
      const client = await register(this.#server.baseUrl, `${name}${seed}`);
      for (const device of [client, await loginAgain(client)]) {
        const model = new ModelDevice(`${name}'s ${device.deviceId}`, client.userId);
        this.#devices.push({ model, client: device });
      }
    }
    for (let n = 0; n < 2; n += 1) await this.#scene.openRoom({ preset: 'public_chat' });
    await this.#observe();
  }

  async step(): Promise<void> {
    this.#moment += 1;
    const room = this.#pick([...this.#rooms.values()]);
    const device = this.#pick(this.#devices);
    const [name, weighted] = this.#pickWeighted();
    this.log.push(`${this.#moment} ${name} ${room.roomId} ${device.model.name}`);
    await weighted.call(this, room, device);
  }

  readonly #steps: readonly [number, string, (room: ModelRoom, device: Device) => Promise<void>][] =
    [
      [30, 'sync', (_room, device) => this.#sync(device)],
      [16, 'message', (room) => this.#act(() => this.#member.send(room.roomId, 'hello'))],
      [6, 'messages', (room) => this.#act(() => this.#scene.lines(room.roomId, 5))],
      [6, 'topic', (room) => this.#act(() => this.#scene.setTopic(room.roomId, 'new'))],
      [14, 'peek', (room, device) => this.#peek(room, device)],
      [6, 'unpeek', (room, device) => this.#unpeek(room, device)],
      [4, 'join', (room, device) => this.#try(() => join(device.client, room.roomId))],
      [4, 'leave', (room, device) => this.#try(() => leave(device.client, room.roomId))],
      [5, 'ban', (room, device) => this.#manage(room, 'ban', device)],
      [2, 'unban', (room, device) => this.#manage(room, 'unban', device)],
      [2, 'invite', (room, device) => this.#manage(room, 'invite', device)],
      [2, 'kick', (room, device) => this.#manage(room, 'kick', device)],
      [4, 'close', (room) => this.#setVisibility(room, this.#pick(['shared', 'joined']))],
      [6, 'open', (room) => this.#setVisibility(room, 'world_readable')],
      [1, 'encrypt', (room) => this.#encrypt(room)],
      [5, 'time', () => this.#pass(this.#pick([1, 1_000_000, LIFETIME_MS]))],
      [1, 'restart', () => this.#restart()],
    ];

  #pickWeighted(): [string, (room: ModelRoom, device: Device) => Promise<void>] {
    const total = this.#steps.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.#random() * total;
    for (const [weight, name, step] of this.#steps) {
      left -= weight;
      if (left < 0) return [name, step];
    }
    return ['sync', (_room, device) => this.#sync(device)];
  }

  #pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.#random() * of.length)] as T;
  }

  get #member(): TestClient {
    return this.#scene.member;
  }

  /** Something that changes a room; what came of it is learned from the member's sync. */
  async #act(action: () => Promise<unknown>): Promise<void> {
    await action();
    await this.#observe();
  }

  /** As `#act`, where the rules may refuse. */
  #try(action: () => Promise<unknown>): Promise<void> {
    return this.#act(() => action().catch((error) => assert.match(String(error), / 40[03] /)));
  }

  #manage(room: ModelRoom, action: Parameters<typeof change>[2], device: Device): Promise<void> {
    return this.#try(() => change(this.#member, room.roomId, action, device.client));
  }

  #setVisibility(room: ModelRoom, visibility: string): Promise<void> {
    return this.#act(() => this.#scene.setVisibility(room.roomId, visibility));
  }

  /** For good; another room comes in its place. */
  async #encrypt(room: ModelRoom): Promise<void> {
    await this.#act(() => this.#scene.encrypt(room.roomId));
    await this.#act(() => this.#scene.openRoom({ preset: 'public_chat' }));
  }

  async #observe(): Promise<void> {
    const filter = JSON.stringify({ room: { timeline: { limit: 500 } } });
    const since = this.#memberSince === undefined ? {} : { since: this.#memberSince };
    const body = await this.#member.sync({ filter, ...since });
    this.#memberSince = body.next_batch;
    for (const [roomId, section] of Object.entries<Any>(body.rooms?.join ?? {})) {
      const room = this.#rooms.get(roomId) ?? new ModelRoom(roomId);
      this.#rooms.set(roomId, room);
      for (const event of section.timeline.events) {
        room.add(event);
        this.#endLooks(room, event);
      }
    }
  }

  #endLooks(room: ModelRoom, { type, state_key: userId, content }: Any): void {
    const isOwn = type === 'm.room.member' && ['join', 'ban'].includes(content.membership);
    for (const { model } of this.#devices) {
      if (!room.isPeekable || (isOwn && model.userId === userId)) model.end(room, this.#moment);
    }
  }

  async #peek(room: ModelRoom, { client, model }: Device): Promise<void> {
    const answer = await client.call('POST', peekPath(room.roomId), {});
    const isJoined = room.memberships(model.userId).at(-1)?.membership === 'join';
    const expected = isJoined ? 400 : room.isPeekable ? 200 : 403;
    assert.equal(answer.status, expected, JSON.stringify(answer.body));
    if (answer.status === 200) model.begin(room, this.#moment, answer.body.peek_expiry_ts);
  }

  async #unpeek(room: ModelRoom, { client, model }: Device): Promise<void> {
    const [status] = await refusal(client, ['POST', roomPath(room.roomId, 'unpeek'), {}]);
    assert.equal(status, model.activeLook(room) === undefined ? 400 : 200);
    model.end(room, this.#moment);
  }

  async #pass(ms: number): Promise<void> {
    this.#server.clock.advance(ms);
    for (const { model } of this.#devices) model.expire(this.#moment, this.#server.clock.now());
  }

  async #restart(): Promise<void> {
    if (this.#restarts > 0) return;
    this.#restarts += 1;
    await this.#server.restart();
    await this.#pass(1_000);
    this.#scene = new Scene(this.#server, this.#scene.again(this.#member));
    for (const device of this.#devices) device.client = this.#scene.again(device.client);
  }

  async #sync(device: Device): Promise<void> {
    const { model, client } = device;
    const asked: Asked = {
      limit: this.#pick([1, 3, 10, 50]),
      fullState: this.#random() < 0.1,
      useStateAfter: this.#random() < 0.2,
      fromScratch: model.told === undefined || this.#random() < 0.1,
    };
    const query = queryOf(asked, model.told?.since);
    const body = await client.sync(query);
    const isLost = this.#random() < 0.3;
    this.log.push(`  ${JSON.stringify(asked)}${isLost ? ' lost' : ''}`);
    model.answer(this.#rooms.values(), body, asked, isLost, this.#moment);
    if (this.#random() < 0.2) {
      assert.deepEqual(inOrder((await client.sync(query)).rooms), inOrder(body.rooms));
    }
  }

  /** In the end everybody is told of everything. */
  async finish(): Promise<void> {
    for (const { model, client } of this.#devices) {
      this.#moment += 1;
      const asked = { limit: 50, fullState: false, useStateAfter: false, fromScratch: false };
      const scratch = { ...asked, fromScratch: model.told === undefined };
      const body = await client.sync(queryOf(scratch, model.told?.since));
      model.answer(this.#rooms.values(), body, scratch, false, this.#moment);
      const last = await client.sync(queryOf(asked, model.told?.since));
      assert.equal(last.rooms, undefined);
    }
  }
}

/** State has no order. */
function inOrder(rooms: Any): unknown {
  for (const section of Object.values<Any>(rooms ?? {})) {
    for (const { state, state_after } of Object.values<Any>(section)) {
      for (const part of [state, state_after]) {
        part?.events.sort((one: Any, other: Any) => (one.event_id < other.event_id ? -1 : 1));
      }
    }
  }
  return rooms;
}

function queryOf(asked: Asked, since: string | undefined): Record<string, string> {
  const { limit, fullState, useStateAfter, fromScratch } = asked;
  return {
    filter: JSON.stringify({ room: { timeline: { limit } } }),
    ...(fullState && { full_state: 'true' }),
    ...(useStateAfter && { use_state_after: 'true' }),
    ...(!fromScratch && since !== undefined && { since }),
  };
}

forEachEngine('the model of peeks', (postgresUrl) => {
  const seeds = postgresUrl === undefined ? SEEDS : SEEDS.slice(-1);
  for (const seed of seeds) {
    test(`lookers are shown what they should be, whatever happens (seed ${seed})`, () =>
      runModel(seed, postgresUrl));
  }
});

async function runModel(seed: number, postgresUrl: string | undefined): Promise<void> {
  const server = await startInProcess({ postgresUrl });
  const run = new Run(new Scene(server, await register(server.baseUrl, 'member')), randomOf(seed));
  try {
    await run.begin(seed);
    for (let step = 0; step < STEPS; step += 1) await run.step();
    await run.finish();
  } catch (cause) {
    throw new Error(`seed ${seed}:\n${run.log.join('\n')}`, { cause });
  } finally {
    await server.close();
  }
}
