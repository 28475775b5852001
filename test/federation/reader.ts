// A client that reads by /sync and remembers, so that tests can wait for what federation brings sooner or later.

import type { TestClient } from '../client.ts';
import type { Network } from './network.ts';

// biome-ignore lint/suspicious/noExplicitAny: events of every shape
export type Event = any;

export class Reader {
  readonly client: TestClient;
  readonly #network: Network;
  #since: string | undefined;
  /** Timelines as they came, by room. */
  readonly #timelines = new Map<string, Event[]>();
  readonly invites = new Map<string, Event[]>();
  /** State as it came with rooms looked into, before the timeline. */
  readonly peeked = new Map<string, Event[]>();
  readonly left = new Set<string>();
  readonly joined = new Set<string>();
  readonly toDevice: Event[] = [];
  readonly presence: Event[] = [];
  /** The users of `device_lists.changed`, and of `device_lists.left`. */
  readonly devicesChanged: string[] = [];
  readonly devicesLeft: string[] = [];
  readonly #ephemeral = new Map<string, Event[]>();

  constructor(network: Network, client: TestClient) {
    this.#network = network;
    this.client = client;
  }

  timeline(roomId: string): readonly Event[] {
    return this.#timelines.get(roomId) ?? [];
  }

  ephemeral(roomId: string): readonly Event[] {
    return this.#ephemeral.get(roomId) ?? [];
  }

  bodies(roomId: string): readonly string[] {
    return this.timeline(roomId).flatMap(({ content }) => content.body ?? []);
  }

  async poll(): Promise<void> {
    const since: Record<string, string> = this.#since === undefined ? {} : { since: this.#since };
    const answer = await this.client.sync(since);
    this.#since = answer.next_batch;
    const { join = {}, invite = {}, leave = {}, peek = {} } = answer.rooms ?? {};
    for (const [roomId, room] of Object.entries<Event>(peek)) {
      this.#add(this.peeked, roomId, room.state?.events);
      this.#add(this.#timelines, roomId, room.timeline?.events);
    }
    for (const [roomId, room] of Object.entries<Event>(join)) {
      this.joined.add(roomId);
      this.left.delete(roomId);
      this.invites.delete(roomId);
      this.#add(this.#timelines, roomId, room.timeline?.events);
      this.#add(this.#ephemeral, roomId, room.ephemeral?.events);
    }
    for (const [roomId, room] of Object.entries<Event>(invite)) {
      this.invites.set(roomId, room.invite_state.events);
    }
    for (const [roomId, room] of Object.entries<Event>(leave)) {
      this.joined.delete(roomId);
      this.invites.delete(roomId);
      this.left.add(roomId);
      this.#add(this.#timelines, roomId, room.timeline?.events);
    }
    this.toDevice.push(...(answer.to_device?.events ?? []));
    this.presence.push(...(answer.presence?.events ?? []));
    this.devicesChanged.push(...(answer.device_lists?.changed ?? []));
    this.devicesLeft.push(...(answer.device_lists?.left ?? []));
  }

  /** Polls until the condition holds. */
  async until(holds: () => boolean, what: string): Promise<void> {
    const check = async () => {
      await this.poll();
      return holds();
    };
    await this.#network.pump(check, `${this.client.userId}: ${what}`);
  }

  /** Until an event of the room's timeline matches, which is given. */
  async sees(roomId: string, matches: (event: Event) => boolean, what: string): Promise<Event> {
    const found = () => this.timeline(roomId).find(matches);
    await this.until(() => found() !== undefined, what);
    return found();
  }

  seesId(roomId: string, eventId: string): Promise<Event> {
    return this.sees(roomId, ({ event_id }) => event_id === eventId, `event ${eventId}`);
  }

  #add(into: Map<string, Event[]>, roomId: string, events: readonly Event[] = []): void {
    const all = into.get(roomId) ?? [];
    all.push(...events);
    into.set(roomId, all);
  }
}
