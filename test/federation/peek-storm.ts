// Somebody looks into a room of another server in bad weather: requests are late, lost, doubled or spoilt, servers are
// parted for longer than a peek lasts, and die. Whatever happens, she sees every event once, from where she began to look.
// What happens is drawn from a seed; what the machine makes of it in time is not, so that a seed that fails fails often, not
// always.

import type { TestClient } from '../client.ts';
import { type Random, seededRandom } from '../seeded-random.ts';
import type { Weather } from './link.ts';
import type { Network } from './network.ts';
import { PeekView } from './peek-view.ts';
import { WORLD_READABLE } from './peeking-scene.ts';
import { history, join, roomPath } from './scene.ts';

export interface PeekStormOptions {
  readonly seed: number;
  readonly roomVersion: string;
  readonly turns: number;
  /** How often a server dies during the storm. */
  readonly kills: number;
  /** Each about a sixth of the storm long. */
  readonly partitions: number;
}

export interface PeekStormReport {
  readonly sent: number;
  readonly shown: number;
  readonly gaps: number;
  /** How often she looked away and began anew. */
  readonly begun: number;
}

/** Peeks are renewed and expire within a storm. `renewal_interval_ms` is the resident's. */
export const PEEK_STORM_CONFIG = {
  peeking: { renewal_interval_ms: 60_000, lifetime_ms: 86_400_000, grace_ms: 86_400_000 },
};

const WEATHER: Weather = {
  delayMs: [0, 10],
  dropRequest: 0.08,
  dropAnswer: 0.08,
  error: 0.04,
  garbage: 0.03,
  twice: 0.05,
};
const STEPS_OF_TIME_MS = [0, 0, 20, 200, 2_000, 20_000] as const;
const LOOKER = 1;

/** The first server of the network has the room, the second looks in, users of the others are in the room. */
export class PeekStorm {
  readonly #network: Network;
  readonly #options: PeekStormOptions;
  readonly #random: Random;
  #members: TestClient[] = [];
  #roomId = '';
  #sent = 0;
  #begun = 0;
  /** Acknowledged since she began to look, to be seen by her; of those before she was shown the room, not all at first. */
  #owed = new Map<string, { readonly isEarly: boolean }>();

  constructor(network: Network, options: PeekStormOptions) {
    this.#network = network;
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  /** Throws an error that names the seed where she sees anything but what was said. */
  async run(): Promise<PeekStormReport> {
    try {
      const view = await this.#gather();
      await this.#rage(view);
      await this.#calmDown(view);
      await this.#compare(view);
      return { sent: this.#sent, shown: view.shown.length, gaps: view.gaps, begun: this.#begun };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`seed ${this.#options.seed}: ${message}`, { cause: error });
    }
  }

  async #gather(): Promise<PeekView> {
    const { seed, roomVersion } = this.#options;
    const { servers } = this.#network;
    const clients: TestClient[] = [];
    for (const [index, server] of servers.entries())
      clients.push(await server.user(`user${index}of${seed}`));
    this.#members = clients.filter((_, index) => index !== LOOKER);
    const [owner, ...others] = this.#members;
    const looker = clients[LOOKER];
    if (owner === undefined || looker === undefined) throw new Error('a storm needs two servers');
    this.#roomId = await owner.createRoom({ ...WORLD_READABLE, room_version: roomVersion });
    const via = this.#network.server(0).name;
    for (const other of others) await join(other, this.#roomId, via);
    for (const member of this.#members) await member.send(this.#roomId, 'before the storm');
    return new PeekView(looker, this.#roomId, [via]);
  }

  async #rage(view: PeekView): Promise<void> {
    const { turns, kills, partitions } = this.#options;
    const { links, servers } = this.#network;
    const turnsOf = (count: number) =>
      [...Array(count).keys()].map((n) => Math.floor(((n + 0.3) * turns) / count));
    const deaths = new Set(turnsOf(kills));
    const partings = turnsOf(partitions);
    const length = Math.ceil(turns / (6 * Math.max(1, partitions)));
    links.setWeather(WEATHER);
    for (let turn = 0; turn < turns; turn += 1) {
      if (partings.includes(turn)) this.#part();
      if (partings.includes(turn - length)) this.#network.heal();
      const acts = [this.#watch(view), ...Array.from({ length: 3 }, () => this.#say(view))];
      if (deaths.has(turn)) await this.#die(this.#random.below(servers.length));
      await this.#network.inTime(Promise.all(acts));
      await this.#network.pass(this.#random.pick(STEPS_OF_TIME_MS));
    }
  }

  /** The looker's server from the others. */
  #part(): void {
    const others = [...this.#network.servers.keys()].filter((index) => index !== LOOKER);
    this.#network.partition([[LOOKER], others]);
  }

  async #die(index: number): Promise<void> {
    const server = this.#network.server(index);
    await server.kill();
    await server.start();
  }

  async #watch(view: PeekView): Promise<void> {
    if (!view.isLooking) {
      await this.#begin(view);
    } else if (this.#random() < 0.03) {
      await view.lookAway();
    } else if (this.#random() < 0.8) {
      await view.poll();
    }
  }

  async #begin(view: PeekView): Promise<void> {
    if (!(await view.look())) return;
    this.#owed = new Map();
    this.#begun += 1;
  }

  async #say(view: PeekView): Promise<void> {
    const dice = this.#random();
    const member = this.#random.pick(this.#members);
    if (dice < 0.3) return;
    const looked = this.#owed;
    const isTopic = dice < 0.4;
    const id = await (isTopic
      ? member.setState(this.#roomId, 'm.room.topic', '', { topic: `${this.#sent}` })
      : member.send(this.#roomId, `message ${this.#sent}`)
    ).catch(() => undefined);
    if (id === undefined) return;
    this.#sent += 1;
    // What was sent before she began to look may lie before the cut.
    if (looked === this.#owed) this.#owed.set(id, { isEarly: !view.isShown });
  }

  async #calmDown(view: PeekView): Promise<void> {
    this.#network.links.setWeather({});
    this.#network.heal();
    const looks = async () => {
      if (!view.isLooking) await this.#begin(view);
      await view.poll();
      return view.isShown;
    };
    await this.#network.pump(looks, 'looking at last');
    const last: string[] = [];
    for (const member of this.#members)
      last.push(await member.send(this.#roomId, 'the sun is out'));
    for (const id of last) this.#owed.set(id, { isEarly: false });
    for (const id of last) await this.#untilAllHave(id);
    const seesAll = async () => {
      await view.poll();
      return last.every((id) => view.shown.includes(id) || view.before.has(id));
    };
    await this.#network.pump(seesAll, 'the last messages').catch((error: Error) => {
      throw new Error(`${error.message}; ${view.shown.length} shown, looking: ${view.isLooking}`);
    });
  }

  async #untilAllHave(eventId: string): Promise<void> {
    const path = roomPath(this.#roomId, `event/${encodeURIComponent(eventId)}`);
    const has = async (member: TestClient) => (await member.call('GET', path)).status === 200;
    const haveAll = async () => (await Promise.all(this.#members.map(has))).every(Boolean);
    await this.#network.pump(haveAll, 'the last messages among members');
  }

  /** Against the history that the owner sees. */
  async #compare(view: PeekView): Promise<void> {
    const faults = [...view.faults];
    if (view.ended > 0) faults.push(`the server ended it ${view.ended} times`);
    const [owner] = this.#members;
    if (owner === undefined) throw new Error('nobody is in the room');
    const truth = (await history(owner, this.#roomId)).map(({ event_id: id }) => id).reverse();
    const shown = new Set(view.shown);
    for (const id of await this.#unseen(view)) faults.push(`${id} is not shown`);
    for (const id of shown) if (!truth.includes(id)) faults.push(`${id} is of nobody's history`);
    if (this.#members.length === 1) {
      const expected = truth.slice(truth.indexOf(view.shown[0]));
      const at = expected.findIndex((id, index) => view.shown[index] !== id);
      if (at !== -1) faults.push(`${view.shown[at]} is shown where ${expected[at]} comes next`);
    }
    if (faults.length > 0)
      throw new Error(`${faults.length} faults:\n${faults.slice(0, 40).join('\n')}`);
  }

  /** What came before she was shown the room may be found by scrolling back from there: /sync begins with the newest. */
  async #unseen(view: PeekView): Promise<string[]> {
    const isSeen = (id: string) => view.shown.includes(id) || view.before.has(id);
    const unseen = [...this.#owed].filter(([id]) => !isSeen(id));
    if (!unseen.some(([, { isEarly }]) => isEarly)) return unseen.map(([id]) => id);
    let before: readonly string[] | undefined;
    const scrollsBack = async () => {
      before = await view.beforeStart();
      return before !== undefined;
    };
    await this.#network.pump(scrollsBack, 'scrolling back');
    return unseen.flatMap(([id, { isEarly }]) => (isEarly && before?.includes(id) ? [] : [id]));
  }
}
