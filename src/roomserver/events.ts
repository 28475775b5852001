// Stored events by id, behind a bounded cache of parsed ones.

import { setImmediate } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Database } from '../database/database.ts';
import type { EventId } from '../protocol/identifiers.ts';
import type { EventRecord } from './event-record.ts';
import { selectEvents } from './store/events.ts';

/** In characters of JSON text; an event takes about thrice as much memory. */
const CACHE_SIZE = 24 * 1024 * 1024;

const EVENTS_PER_TURN = 500;

export class Events {
  readonly #database: Database;
  readonly #cache = new LRUCache<EventId, EventRecord>({ maxSize: CACHE_SIZE });
  /** Rises when rows are deleted: what was being read then must not be cached. */
  #era = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** What is in memory, at once. */
  peek(id: EventId): EventRecord | undefined {
    return this.#cache.get(id);
  }

  async get(id: EventId): Promise<EventRecord | undefined> {
    return this.peek(id) ?? (await this.#fetch([id])).get(id);
  }

  /** Unknown ids are absent. */
  async load(ids: readonly EventId[]): Promise<Map<EventId, EventRecord>> {
    const found = new Map<EventId, EventRecord>();
    const absent: EventId[] = [];
    for (const id of ids) {
      const record = this.#cache.get(id);
      if (record === undefined) absent.push(id);
      else found.set(id, record);
    }
    if (absent.length === 0) return found;
    for (let start = 0; start < absent.length; start += EVENTS_PER_TURN) {
      if (start > 0) await setImmediate();
      const some = await this.#fetch(absent.slice(start, start + EVENTS_PER_TURN));
      for (const [id, record] of some) found.set(id, record);
    }
    return found;
  }

  /** To be called after COMMIT only. */
  remember(record: EventRecord): void {
    this.#cache.set(record.pdu.eventId, record, { size: record.pdu.jsonText.length });
  }

  /** After rows have been deleted. */
  forgetAll(): void {
    this.#era++;
    this.#cache.clear();
  }

  async #fetch(ids: readonly EventId[]): Promise<Map<EventId, EventRecord>> {
    const era = this.#era;
    const found = new Map<EventId, EventRecord>();
    for (const record of await selectEvents(this.#database, ids)) {
      found.set(record.pdu.eventId, record);
      // What was committed while this was being read is newer, and in the cache.
      if (era === this.#era && !this.#cache.has(record.pdu.eventId)) this.remember(record);
    }
    return found;
  }
}
