// Bodies of events, from the roomserver in batches, behind a cache that all devices share.

import { LRUCache } from 'lru-cache';
import { entries } from '../../lru-entries.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import type { RoomserverApi, StoredEvent } from '../../roomserver/api.ts';

const MAX_EVENTS = 20_000;
/** Events forgotten while they are being fetched are not kept; more than this are never in flight. */
const MAX_FORGOTTEN = 10_000;
/** Of one request to the roomserver. */
const BATCH = 500;

export class EventSource {
  readonly #roomserver: Pick<RoomserverApi, 'queryEvents'>;
  readonly #events: LRUCache<EventId, StoredEvent>;
  readonly #forgotten = new LRUCache<EventId, number>(entries(MAX_FORGOTTEN));
  #changes = 0;

  constructor(roomserver: Pick<RoomserverApi, 'queryEvents'>, max = MAX_EVENTS) {
    this.#roomserver = roomserver;
    this.#events = new LRUCache(entries(max));
  }

  /** Those that may be shown; the rest is left out. */
  async get(eventIds: Iterable<EventId>): Promise<ReadonlyMap<EventId, StoredEvent>> {
    const found = new Map<EventId, StoredEvent>();
    const missing: EventId[] = [];
    for (const id of new Set(eventIds)) {
      const event = this.#events.get(id);
      if (event === undefined) missing.push(id);
      else found.set(id, event);
    }
    for (let start = 0; start < missing.length; start += BATCH) {
      for (const event of await this.#fetch(missing.slice(start, start + BATCH))) {
        found.set(event.eventId, event);
      }
    }
    return found;
  }

  async one(eventId: EventId): Promise<StoredEvent | undefined> {
    return this.peek(eventId) ?? (await this.get([eventId])).get(eventId);
  }

  /** What is in memory, at once. */
  peek(eventId: EventId): StoredEvent | undefined {
    return this.#events.get(eventId);
  }

  /** An event that has come by with its body. */
  remember(event: StoredEvent): void {
    this.#events.set(event.eventId, event);
  }

  /** The event has changed: it was redacted, or its room is gone. */
  forget(eventId: EventId): void {
    this.#changes += 1;
    this.#forgotten.set(eventId, this.#changes);
    this.#events.delete(eventId);
  }

  async #fetch(eventIds: readonly EventId[]): Promise<StoredEvent[]> {
    const before = this.#changes;
    // Soft-failed events have no place in timelines, so that nobody asks for them there; but states may hold them.
    const events = await this.#roomserver.queryEvents({ eventIds, includeSoftFailed: true });
    for (const event of events) {
      if ((this.#forgotten.get(event.eventId) ?? 0) <= before) this.remember(event);
    }
    return events;
  }
}
