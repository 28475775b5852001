// One room on several servers, in bad weather: members send, join, leave, are banned, promoted and demoted from all sides at
// once, while requests are late, lost, doubled or spoilt, servers are parted, and die. Once the weather is fine again and
// every server has said one more thing, all must have the same room. What happens is drawn from a seed; what the machine
// makes of it in time is not, so that a seed that fails fails often, not always.

import type { TestClient } from '../client.ts';
import { type Random, seededRandom } from '../seeded-random.ts';
import type { Weather } from './link.ts';
import type { Network } from './network.ts';
import { type Any, join, roomPath, stateOf } from './scene.ts';
import type { StoredRoom, StoredRow } from './stored-room.ts';

export interface StormOptions {
  readonly seed: number;
  readonly roomVersion: string;
  readonly members: number;
  readonly events: number;
  /** How often a server dies during the storm. */
  readonly kills: number;
  /** Each about a sixth of the storm long. */
  readonly partitions: number;
}

export interface StormReport {
  readonly sent: number;
  readonly refused: number;
  /** Events that some servers show and others have soft-failed. */
  readonly softFailed: readonly string[];
}

const WEATHER: Weather = {
  delayMs: [0, 15],
  dropRequest: 0.06,
  dropAnswer: 0.06,
  error: 0.03,
  garbage: 0.02,
  twice: 0.04,
};
const AT_ONCE = 6;
const STEPS_OF_TIME_MS = [0, 20, 200, 2_000] as const;

interface Member {
  readonly client: TestClient;
  readonly server: number;
}

export class Storm {
  readonly #network: Network;
  readonly #options: StormOptions;
  readonly #random: Random;
  /** One per server: never sent away, and the first of them has made the room. */
  #keepers: Member[] = [];
  #members: Member[] = [];
  #roomId = '';
  /** Of the time before the storm. */
  readonly #before = new Set<string>();
  #sent = 0;
  #refused = 0;
  readonly #faults: string[] = [];

  constructor(network: Network, options: StormOptions) {
    this.#network = network;
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  /** Throws an error that names the seed where servers end up with different rooms. */
  async run(): Promise<StormReport> {
    try {
      await this.#gather();
      await this.#rage();
      await this.#calmDown();
      return await this.#compare();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`seed ${this.#options.seed}: ${message}`, { cause: error });
    }
  }

  /** Users, the room, and who may do what in it; all of it known everywhere. */
  async #gather(): Promise<void> {
    const { seed, roomVersion, members } = this.#options;
    const { servers } = this.#network;
    for (let n = 0; n < members; n += 1) {
      const server = n % servers.length;
      const name = n < servers.length ? 'keeper' : 'member';
      const client = await this.#network.server(server).user(`${name}${n}of${seed}`);
      (n < servers.length ? this.#keepers : this.#members).push({ server, client });
    }
    const [first, ...others] = [...this.#keepers, ...this.#members];
    if (first === undefined) throw new Error('a storm needs members');
    this.#roomId = await first.client.createRoom({
      preset: 'public_chat',
      room_version: roomVersion,
      power_level_content_override: { events: { 'm.room.power_levels': 80, 'm.room.topic': 50 } },
    });
    const via = this.#network.server(0).name;
    for (const { client } of others) await join(client, this.#roomId, via);
    const levels = await first.client.ok('GET', this.#path('state/m.room.power_levels/'));
    const users = { ...levels.users };
    for (const { client } of this.#keepers.slice(1)) users[client.userId] = 90;
    for (const { client } of this.#members.slice(0, 2 * servers.length)) users[client.userId] = 50;
    const content = { ...levels, users };
    const { client } = first;
    const last = await client.setState(this.#roomId, 'm.room.power_levels', '', content);
    await this.#untilEverywhere(last);
    for (const server of servers) {
      const { events } = await server.stored(this.#roomId);
      for (const { event_id } of events) this.#before.add(event_id);
    }
  }

  async #rage(): Promise<void> {
    const { events, kills, partitions } = this.#options;
    const { links, servers } = this.#network;
    const turns = Math.ceil(events / AT_ONCE);
    const turnsOf = (count: number) =>
      [...Array(count).keys()].map((n) => Math.floor(((n + 0.3) * turns) / count));
    const deaths = new Set(turnsOf(kills));
    const partings = turnsOf(partitions);
    const length = Math.ceil(turns / (3 * Math.max(1, partitions)));
    links.setWeather(WEATHER);
    for (let turn = 0; turn < turns; turn += 1) {
      if (partings.includes(turn)) this.#part();
      if (partings.includes(turn - length)) this.#network.heal();
      const acts = Array.from({ length: AT_ONCE }, () => this.#act());
      if (deaths.has(turn)) await this.#die(this.#random.below(servers.length));
      await Promise.all(acts);
      await this.#network.pass(this.#random.pick(STEPS_OF_TIME_MS));
    }
  }

  /** One server from the others. */
  #part(): void {
    const all = [...this.#network.servers.keys()];
    const alone = this.#random.pick(all);
    this.#network.partition([[alone], all.filter((one) => one !== alone)]);
  }

  async #die(index: number): Promise<void> {
    const server = this.#network.server(index);
    await server.kill();
    await server.start();
  }

  async #act(): Promise<void> {
    const dice = this.#random();
    if (dice < 0.55) await this.#say(this.#anybody());
    else if (dice < 0.63) await this.#state();
    else if (dice < 0.77) await this.#sendAway();
    else if (dice < 0.82) await this.#call(this.#member(), 'POST', 'leave', {});
    else if (dice < 0.92) await this.#call(this.#member(), 'POST', 'join', {});
    else await this.#changeLevels();
  }

  #anybody(): Member {
    return this.#random.pick([...this.#keepers, ...this.#members]);
  }

  #member(): Member {
    return this.#random.pick(this.#members);
  }

  /** Mostly somebody who may. */
  #moderator(): Member {
    const moderators = [...this.#keepers, ...this.#members.slice(0, 2 * this.#keepers.length)];
    return this.#random() < 0.85 ? this.#random.pick(moderators) : this.#member();
  }

  async #say(member: Member): Promise<void> {
    const txn = `s${this.#sent}r${this.#refused}x${this.#random.below(1e9)}`;
    const content = { msgtype: 'm.text', body: `${member.client.userId} says ${txn}` };
    await this.#call(member, 'PUT', `send/m.room.message/${txn}`, content);
  }

  async #state(): Promise<void> {
    const value = String(this.#random.below(1_000));
    const [path, content] = this.#random.pick([
      ['state/m.room.topic/', { topic: value }],
      ['state/m.room.name/', { name: value }],
      [`state/test.state/${this.#random.below(5)}`, { value }],
      ['state/m.room.join_rules/', { join_rule: this.#random() < 0.7 ? 'public' : 'invite' }],
    ] as const);
    await this.#call(this.#moderator(), 'PUT', path, content);
  }

  /** While the one who is sent away goes on talking. */
  async #sendAway(): Promise<void> {
    const target = this.#member();
    const action = this.#random.pick(['kick', 'ban', 'ban', 'unban', 'unban', 'invite']);
    const body = { user_id: target.client.userId };
    await Promise.all([
      this.#say(target),
      this.#call(this.#moderator(), 'POST', action, body),
      this.#say(target),
    ]);
  }

  async #changeLevels(): Promise<void> {
    const { client, server } = this.#random.pick(this.#keepers);
    const target = this.#member().client.userId;
    const level = this.#random.pick([0, 0, 50, 50, 80]);
    const path = 'state/m.room.power_levels/';
    const levels = await client.call('GET', this.#path(path)).catch(() => undefined);
    if (levels?.status !== 200) return;
    const { [target]: _, ...others } = levels.body.users;
    const users = level === 0 ? others : { ...others, [target]: level };
    await this.#call({ client, server }, 'PUT', path, { ...levels.body, users });
  }

  async #call(member: Member, method: string, rest: string, body: object): Promise<void> {
    const answer = await member.client.call(method, this.#path(rest), body).catch(() => undefined);
    if (answer?.status === 200) this.#sent += 1;
    else this.#refused += 1;
    if (answer?.status === 500) this.#faults.push(`${method} ${rest}: ${JSON.stringify(answer)}`);
  }

  async #calmDown(): Promise<void> {
    const { links } = this.#network;
    links.setWeather({});
    this.#network.heal();
    for (const { client } of this.#keepers) {
      await this.#untilEverywhere(await client.send(this.#roomId, 'the sun is out'));
    }
  }

  async #untilEverywhere(eventId: string): Promise<void> {
    const path = this.#path(`event/${encodeURIComponent(eventId)}`);
    const isHere = async ({ client }: Member) => (await client.call('GET', path)).status === 200;
    const isEverywhere = async () => (await Promise.all(this.#keepers.map(isHere))).every(Boolean);
    await this.#network.pump(isEverywhere, `event ${eventId} on every server`);
  }

  async #compare(): Promise<StormReport> {
    const { servers } = this.#network;
    const rooms = await Promise.all(servers.map((server) => server.stored(this.#roomId)));
    const states = await Promise.all(
      this.#keepers.map(({ client }) => stateOf(client, this.#roomId)),
    );
    const { faults, softFailed } = differences(rooms, this.#before);
    const all = [...this.#faults, ...faults, ...differingKeys(states)];
    const extremities = new Set(rooms.map((room) => JSON.stringify(room.extremities)));
    if (extremities.size > 1) all.push(`extremities: ${[...extremities].join(' ')}`);
    if (all.length > 0) throw new Error(`${all.length} faults:\n${all.slice(0, 40).join('\n')}`);
    return { sent: this.#sent, refused: this.#refused, softFailed };
  }

  #path(rest: string): string {
    return roomPath(this.#roomId, rest);
  }
}

/** What one server has taken, the others have taken; that some did not show it is no fault, but is told. */
function differences(
  rooms: readonly StoredRoom[],
  before: ReadonlySet<string>,
): { faults: string[]; softFailed: string[] } {
  const byId = rooms.map(({ events }) => new Map(events.map((row) => [row.event_id, row])));
  const ids = new Set(byId.flatMap((events) => [...events.keys()]));
  const faults: string[] = [];
  const softFailed: string[] = [];
  for (const id of ids) {
    if (before.has(id)) continue;
    const found = byId.map((events) => events.get(id));
    const standings = found.map((row) => row?.standing ?? 'missing');
    if (new Set(standings).size === 1) continue;
    const isSoft = standings.every((one) => one === 'accepted' || one === 'softFailed');
    (isSoft ? softFailed : faults).push(`${id}: ${found.map(describe).join(', ')}`);
  }
  return { faults, softFailed };
}

function describe(row: StoredRow | undefined): string {
  if (row === undefined) return 'missing';
  return `${row.type} of ${row.sender} ${row.standing}${row.reason === null ? '' : ` (${row.reason})`}`;
}

function differingKeys(states: readonly Any[]): string[] {
  const keys = new Set(states.flatMap((state) => Object.keys(state)));
  return [...keys]
    .filter((key) => new Set(states.map((state) => state[key])).size > 1)
    .map((key) => `state ${key}: ${states.map((state) => state[key] ?? 'none').join(', ')}`);
}
