// What a client shows of a room that its device looks into: what /sync brings, and where a timeline has a gap, what scrolling
// back from there brings. It scrolls to the beginning, and so past what it has shown: what was said side by side may come
// late, and lie before that. As clients do, it shows once what /sync and scrolling back both bring.

import type { TestClient } from '../client.ts';
import { type Body, peek, roomPath } from './peeking-scene.ts';

const PAGES_OF_A_GAP = 100;

export class PeekView {
  readonly client: TestClient;
  readonly #roomId: string;
  readonly #via: readonly string[];
  #since: string | undefined;
  /** Ids of what is shown, in the order in which it came about, since the room was last looked into. */
  readonly shown: string[] = [];
  /** Ids of what was scrolled back to, and lies before the first that is shown. */
  readonly before = new Set<string>();
  /** Ids of what /sync has brought since then. */
  readonly #told = new Set<string>();
  isLooking = false;
  /** /sync has brought something, were it an empty timeline: where it began. */
  #start: string | undefined;
  /** Gaps that were filled. */
  gaps = 0;
  /** How often the server ended it. */
  ended = 0;
  readonly faults: string[] = [];

  constructor(client: TestClient, roomId: string, via: readonly string[]) {
    this.client = client;
    this.#roomId = roomId;
    this.#via = via;
  }

  /** Since the room was last looked into. */
  get isShown(): boolean {
    return this.#start !== undefined;
  }

  /** Begins to look, or goes on; whether it came about. */
  async look(): Promise<boolean> {
    const answer = await peek(this.client, this.#roomId, this.#via).catch(() => undefined);
    this.isLooking ||= answer?.status === 200;
    return answer?.status === 200;
  }

  /** Looks no more, and forgets what was shown. */
  async lookAway(): Promise<void> {
    const path = `${roomPath(this.#roomId)}/unpeek`;
    const answer = await this.client.call('POST', path, {}).catch(() => undefined);
    if (answer?.status !== 200) return;
    this.#forget();
    await this.poll();
  }

  /** Nothing happens where the server does not answer: the same `since` is asked for again. */
  async poll(): Promise<void> {
    const query = this.#since === undefined ? undefined : { since: this.#since };
    const answer = await this.client.sync(query).catch(() => undefined);
    if (answer === undefined) return;
    const { peek: peeked, leave, join } = answer.rooms ?? {};
    const section = peeked?.[this.#roomId];
    if (section !== undefined && this.isLooking && !(await this.#show(section.timeline))) return;
    this.#since = answer.next_batch;
    if (join?.[this.#roomId] !== undefined) this.faults.push('the room is joined');
    if (leave?.[this.#roomId] === undefined || !this.isLooking) return;
    this.ended += 1;
    this.#forget();
  }

  #forget(): void {
    this.isLooking = false;
    this.#start = undefined;
    this.shown.length = 0;
    this.#told.clear();
    this.before.clear();
  }

  /** Whether all of it is shown: what is missing before it may not be had now. */
  async #show(timeline: Body): Promise<boolean> {
    const ids: string[] = timeline.events.map((event: Body) => event.event_id);
    if (timeline.limited === true && this.isShown) {
      const gap = await this.#gapBefore(timeline.prev_batch);
      if (gap === undefined) return false;
      this.gaps += 1;
      this.#append(gap);
    }
    for (const id of ids) {
      if (this.#told.has(id)) this.faults.push(`${id} comes twice`);
      this.#told.add(id);
    }
    this.#start ??= timeline.prev_batch;
    this.#append(ids);
    return true;
  }

  #append(ids: readonly string[]): void {
    for (const id of ids) if (!this.shown.includes(id)) this.shown.push(id);
  }

  /** What lies before what /sync brought first: newest first; undefined where it cannot be had now. */
  async beforeStart(): Promise<readonly string[] | undefined> {
    return this.#start === undefined ? [] : this.#scrollBack(this.#start);
  }

  /** What follows the first that is shown, or all where nothing is; undefined where it cannot be had now. */
  async #gapBefore(token: string): Promise<string[] | undefined> {
    const found = await this.#scrollBack(token);
    if (found === undefined) return undefined;
    const first = this.shown.length === 0 ? found.length : found.indexOf(this.shown[0] ?? '');
    if (first === -1)
      this.faults.push(`a gap is never closed: ${found.length} events scrolled back`);
    for (const id of found.slice(first)) this.before.add(id);
    return found.slice(0, first).reverse();
  }

  async #scrollBack(token: string): Promise<string[] | undefined> {
    const found: string[] = [];
    let from: string | undefined = token;
    for (let page = 0; page < PAGES_OF_A_GAP && from !== undefined; page += 1) {
      const path: string = `${roomPath(this.#roomId)}/messages?dir=b&limit=20&from=${encodeURIComponent(from)}`;
      const answer: Body = await this.client.call('GET', path).catch(() => undefined);
      if (answer?.status !== 200 || answer.body.end === from) return undefined;
      found.push(...answer.body.chunk.map(({ event_id: id }: Body) => id));
      from = answer.body.end;
    }
    return found;
  }
}
