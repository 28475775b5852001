// One room on several servers, in bad weather: members send, join, leave, are banned, promoted and demoted from all sides at
// once, while requests are late, lost, doubled or spoilt, servers are parted, and die. Once the weather is fine again and
// every server has said one more thing, all must have the same room. What happens is drawn from a seed; what the machine
// makes of it in time is not, so that a seed that fails fails often, not always.

import type { TestClient } from '../client.ts';
import { type Random, seededRandom } from '../seeded-random.ts';
import type { Weather } from './link.ts';
import type { Network } from './network.ts';
import { type Any, join, roomPath, stateOf } from './scene.ts';
import { acknowledgedTo, differences, type Found, lost } from './storm-findings.ts';

export interface StormOptions {
  readonly seed: number;
  readonly roomVersion: string;
  readonly members: number;
  /** So many requests of clients have been answered with 200 when the storm ends. */
  readonly events: number;
  /** How often a server dies during the storm. */
  readonly kills: number;
  /** Each about a sixth of the storm long. */
  readonly partitions: number;
}

export interface StormReport {
  readonly sent: number;
  readonly refused: number;
  /** Events that all servers have accepted. */
  readonly accepted: number;
  /** Events that not all have accepted: soft-failed, rejected. */
  readonly refusedBySome: readonly string[];
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

/** Of all that is done, so much is done by who may do it, as far as that is known. */
const SENSIBLE = 0.85;

interface Member {
  readonly client: TestClient;
  readonly server: number;
  /** In the room, by what was answered last. */
  isJoined: boolean;
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
  #acts = 0;
  readonly #acknowledged: Set<string>[] = [];
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
      (n < servers.length ? this.#keepers : this.#members).push({
        server,
        client,
        isJoined: true,
      });
    }
    for (const _ of servers) this.#acknowledged.push(new Set());
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
    const { events } = this.#options;
    const happenings = this.#happenings();
    this.#network.links.setWeather(WEATHER);
    while (this.#sent < events) {
      const acts = Array.from({ length: AT_ONCE }, () => this.#act());
      while ((happenings[0]?.at ?? events) <= this.#sent) await happenings.shift()?.happen();
      await this.#network.inTime(Promise.all(acts));
      await this.#network.pass(this.#random.pick(STEPS_OF_TIME_MS));
    }
  }

  /** What happens when so many requests have been answered: deaths in between, and partitions. */
  #happenings(): { at: number; happen: () => Promise<void> | void }[] {
    const { events, kills, partitions } = this.#options;
    const spread = (count: number) =>
      [...Array(count).keys()].map((n) => Math.floor(((n + 0.3) * events) / count));
    const { length } = this.#network.servers;
    const deaths = spread(kills).map((at) => ({
      at,
      happen: () => this.#die(this.#random.below(length)),
    }));
    const partings = spread(partitions).map((at) => ({ at, happen: () => this.#part() }));
    const heals = partings.map(({ at }) => ({
      at: at + events / (3 * partitions),
      happen: () => this.#network.heal(),
    }));
    return [...deaths, ...partings, ...heals].sort((one, other) => one.at - other.at);
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
    else if (dice < 0.65) await this.#state();
    else if (dice < 0.75) await this.#sendAway();
    else if (dice < 0.79)
      await this.#go(
        this.#member((one) => one.isJoined),
        'leave',
      );
    else if (dice < 0.94)
      await this.#go(
        this.#member((one) => !one.isJoined),
        'join',
      );
    else await this.#changeLevels();
  }

  #anybody(): Member {
    return this.#mostly([...this.#keepers, ...this.#members], ({ isJoined }) => isJoined);
  }

  #member(isWanted: (member: Member) => boolean = () => true): Member {
    return this.#mostly(this.#members, isWanted);
  }

  #mostly(members: readonly Member[], isWanted: (member: Member) => boolean): Member {
    const wanted = this.#random() < SENSIBLE ? members.filter(isWanted) : [];
    return this.#random.pick(wanted.length > 0 ? wanted : members);
  }

  #moderator(): Member {
    const moderators = new Set([...this.#keepers, ...this.#members.slice(0, this.#keepers.length)]);
    const everybody = [...this.#keepers, ...this.#members];
    return this.#mostly(everybody, (one) => moderators.has(one) && one.isJoined);
  }

  async #say(member: Member): Promise<void> {
    this.#acts += 1;
    const txn = `a${this.#acts}`;
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

  async #go(member: Member, action: 'join' | 'leave'): Promise<void> {
    if (await this.#call(member, 'POST', action, {})) member.isJoined = action === 'join';
  }

  /** While the one who is sent away goes on talking. */
  async #sendAway(): Promise<void> {
    const action = this.#random.pick(['kick', 'ban', 'unban', 'unban', 'invite']);
    const isAway = action === 'kick' || action === 'ban';
    const target = this.#member(({ isJoined }) => isJoined === isAway);
    const body = { user_id: target.client.userId };
    const done = this.#call(this.#moderator(), 'POST', action, body);
    if (!isAway) await done;
    else await Promise.all([this.#say(target), done, this.#say(target)]);
    if (isAway && (await done)) target.isJoined = false;
  }

  async #changeLevels(): Promise<void> {
    const keeper = this.#random.pick(this.#keepers);
    const { client } = keeper;
    const target = this.#member().client.userId;
    const level = this.#random.pick([0, 0, 50, 50, 80]);
    const path = 'state/m.room.power_levels/';
    const levels = await client.call('GET', this.#path(path)).catch(() => undefined);
    if (levels?.status !== 200) return;
    const { [target]: _, ...others } = levels.body.users;
    const users = level === 0 ? others : { ...others, [target]: level };
    await this.#call(keeper, 'PUT', path, { ...levels.body, users });
  }

  /** Whether it was done, as far as is known. */
  async #call(member: Member, method: string, rest: string, body: object): Promise<boolean> {
    const answer = await member.client.call(method, this.#path(rest), body).catch(() => undefined);
    const isDone = answer?.status === 200;
    if (isDone) this.#sent += 1;
    else this.#refused += 1;
    const eventId = isDone ? answer.body.event_id : undefined;
    if (eventId !== undefined) this.#acknowledged[member.server]?.add(eventId);
    if (answer?.status === 500) this.#faults.push(`${method} ${rest}: ${JSON.stringify(answer)}`);
    return isDone;
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
    const { faults, refusedBySome, accepted } = differences(rooms, this.#before);
    const all = [...this.#faults, ...faults, ...differingKeys(states)];
    for (const [index, { name }] of servers.entries()) {
      const told: Found = {
        byClients: this.#acknowledged[index] ?? new Set(),
        byServers: new Set(),
      };
      for (const { name: origin } of servers) {
        for (const id of acknowledgedTo(this.#network.link(origin, name))) told.byServers.add(id);
      }
      all.push(...lost(rooms[index], told));
    }
    // What one alone has accepted, and was said after the last word of all others, stays an extremity there.
    const extremities = new Set(
      rooms.map((room) => JSON.stringify(room.extremities.filter((id) => accepted.has(id)))),
    );
    if (extremities.size > 1) all.push(`extremities: ${[...extremities].join(' ')}`);
    if (all.length > 0) throw new Error(`${all.length} faults:\n${all.slice(0, 40).join('\n')}`);
    return { sent: this.#sent, refused: this.#refused, accepted: accepted.size, refusedBySome };
  }

  #path(rest: string): string {
    return roomPath(this.#roomId, rest);
  }
}

function differingKeys(states: readonly Any[]): string[] {
  const keys = new Set(states.flatMap((state) => Object.keys(state)));
  return [...keys]
    .filter((key) => new Set(states.map((state) => state[key])).size > 1)
    .map((key) => `state ${key}: ${states.map((state) => state[key] ?? 'none').join(', ')}`);
}
