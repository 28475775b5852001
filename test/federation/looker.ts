// A device that looks into one room, and all that its /sync has told it of it.

import type { TestClient } from '../client.ts';
import type { ComposedServer, Network } from './network.ts';
import { type Body, peekOk, roomPath } from './peeking-scene.ts';

/** So that timelines are limited by nothing but gaps. */
const ALL = JSON.stringify({ room: { timeline: { limit: 1_000 } } });

export class Looker {
  readonly client: TestClient;
  readonly roomId: string;
  /** Of its timelines, in the order of their coming, those of the first answer included. */
  readonly events: Body[] = [];
  /** Answers after the first in which the timeline was limited. */
  limited = 0;
  /** The sections in which the room has stood, each once in a row. */
  readonly sections: string[] = [];
  since = '';
  readonly #network: Network<ComposedServer>;

  private constructor(network: Network<ComposedServer>, client: TestClient, roomId: string) {
    this.#network = network;
    this.client = client;
    this.roomId = roomId;
  }

  static async at(
    network: Network<ComposedServer>,
    client: TestClient,
    [roomId, ...via]: readonly [string, ...string[]],
  ): Promise<Looker> {
    await peekOk(client, roomId, ...via);
    const looker = new Looker(network, client, roomId);
    await looker.poll();
    return looker;
  }

  async poll(): Promise<void> {
    const isFirst = this.since === '';
    const query = { filter: ALL, ...(!isFirst && { since: this.since }) };
    const answer = await this.client.sync(query);
    this.since = answer.next_batch;
    for (const [section, rooms] of Object.entries<Body>(answer.rooms ?? {})) {
      const shown = rooms[this.roomId];
      if (shown === undefined) continue;
      if (this.sections.at(-1) !== section) this.sections.push(section);
      if (!isFirst && shown.timeline?.limited === true) this.limited += 1;
      this.events.push(...(shown.timeline?.events ?? []));
    }
  }

  get bodies(): string[] {
    return this.events.map(({ content }) => content.body).filter(Boolean);
  }

  /** Resolves once the message has come. */
  async sees(text: string): Promise<void> {
    await this.until(() => this.bodies.includes(text), `"${text}" in the peeked room`);
  }

  /** Polls until it holds. */
  async until(holds: () => boolean, what: string): Promise<void> {
    const look = async () => {
      if (holds()) return true;
      await this.poll();
      return holds();
    };
    await this.#network.pump(look, what).catch((error: Error) => {
      throw new Error(`${error.message}; seen: ${JSON.stringify(this.bodies)}`);
    });
  }

  /** Ids of all events that scrolling back shows, oldest first. */
  async history(): Promise<string[]> {
    return historyOf(this.client, this.roomId);
  }
}

/** Ids, oldest first: as far as they can be had now. */
export async function historyOf(client: TestClient, roomId: string): Promise<string[]> {
  const ids: string[] = [];
  for (let from: string | undefined; ; ) {
    const query = from === undefined ? '' : `&from=${encodeURIComponent(from)}`;
    const page = await client.ok('GET', `${roomPath(roomId)}/messages?dir=b&limit=100${query}`);
    ids.push(...page.chunk.map((event: Body) => event.event_id));
    if (page.end === undefined || page.end === from) return ids.reverse();
    from = page.end;
  }
}
