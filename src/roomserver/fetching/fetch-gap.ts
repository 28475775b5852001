// The events of a gap: between what is here and an event that has come, by get_missing_events, and one by one of who does not
// know that event; by backfill from a server that we look through, since one of those that exist gives outsiders nothing else.

import { federationPath } from '../../federation/federation-path.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { EventId, ServerName } from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import type { Gap as FoundGap, GapRequest } from '../input/missing-events.ts';
import { selectLeastDepth } from '../store/events.ts';
import type { Asker, Deadline } from './asker.ts';
import { fetchEvents } from './fetch-events.ts';
import { givenPdus, type OfRoom, reachable } from './given-pdus.ts';

/** All that may be looked for before one batch of events; what lies before it is a gap in history. */
const MAX_EVENTS = 1_000;
/** Per request: many servers give no more than 20. */
const LIMIT = 100;
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_ROUNDS = 50;
/** Of what is here, so many are named. */
const MAX_EARLIEST = 100;
/** Of what is missing, so many are asked for one by one. */
const MAX_SINGLE = 20;
/** Servers that have nothing to say to it. */
const MAX_IN_VAIN = 2;
const TIME_MS = 30_000;

/** Nothing of before what is here: that is history, and for others to ask for. */
export async function fetchGap(
  context: Pick<RoomserverContext, 'events' | 'database' | 'outboundPeeks'>,
  asker: Asker,
  { request, room }: { readonly request: GapRequest; readonly room: OfRoom },
): Promise<FoundGap> {
  const minDepth = await selectLeastDepth(context.database, room.roomId);
  const gap = new Gap(context.events, { ...request, minDepth });
  const deadline = asker.deadline(TIME_MS, request.endsAt);
  let inVain = 0;
  let isOriginHeard = false;
  for (const server of await asker.servers(request.roomId, request.origin)) {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      if (gap.isClosed || inVain >= MAX_IN_VAIN) break;
      const question = { server, gap, room, deadline };
      const isLookedThrough = context.outboundPeeks.isWatchedThrough(room.roomId, server);
      const { isRefused, ...tried } = await askFor(asker, question);
      const given =
        tried.given ?? (isLookedThrough ? await askForHistory(asker, question) : undefined);
      if (server === request.origin) {
        isOriginHeard = given !== undefined || (isRefused && !isLookedThrough);
      }
      if (given === undefined) break;
      const before = gap.found.length;
      await gap.add(given);
      if (gap.found.length > before) continue;
      // Who does not know the event before which they are missing, as others than its sender, may know them.
      if (server !== request.origin || request.isUnsent)
        await gap.add(await askForThemselves(asker, question));
      if (gap.found.length > before) continue;
      inVain++;
      break;
    }
  }
  return { events: gap.found, isFinal: gap.isClosed || isOriginHeard };
}

interface GapQuestion {
  readonly server: ServerName;
  readonly gap: Gap;
  readonly room: OfRoom;
  readonly deadline: Deadline;
}

async function askFor(
  asker: Asker,
  { server, gap, room, deadline }: GapQuestion,
): Promise<{ readonly given?: Map<EventId, Pdu>; readonly isRefused: boolean }> {
  const { answer, isRefused } = await asker.attempt(
    server,
    {
      method: 'POST',
      path: federationPath`/_matrix/federation/v1/get_missing_events/${room.roomId}`,
      body: {
        earliest_events: gap.earliest(),
        latest_events: gap.latest(),
        limit: LIMIT,
        min_depth: gap.minDepth,
      },
      maxBytes: MAX_BYTES,
    },
    deadline,
  );
  if (answer === undefined) return { isRefused };
  return { given: await givenPdus(answer.events, room, LIMIT * 2), isRefused };
}

function askForThemselves(asker: Asker, { gap, ...question }: GapQuestion) {
  return fetchEvents(asker, { ...question, ids: gap.missing() });
}

async function askForHistory(
  asker: Asker,
  { server, gap, room, deadline }: GapQuestion,
): Promise<Map<EventId, Pdu> | undefined> {
  const answer = await asker.ask(
    server,
    {
      method: 'GET',
      path: federationPath`/_matrix/federation/v1/backfill/${room.roomId}`,
      query: { v: gap.latest(), limit: String(LIMIT) },
    },
    deadline,
  );
  return answer && givenPdus(answer.pdus, room, LIMIT * 5);
}

/** What is known of the gap so far. */
class Gap {
  readonly minDepth: number;
  readonly #events: RoomserverContext['events'];
  readonly #given: ReadonlyMap<EventId, readonly EventId[]>;
  readonly #found = new Map<EventId, Pdu>();
  /** Where the gap ends: extremities, and what else the events refer to and is stored. */
  readonly #edge: Set<EventId>;
  /** Referred to, and neither stored nor found. */
  #missing: Set<EventId>;

  constructor(
    events: RoomserverContext['events'],
    request: GapRequest & { readonly minDepth: number },
  ) {
    this.minDepth = request.minDepth;
    this.#events = events;
    this.#given = request.references;
    this.#missing = new Set(request.eventIds);
    this.#edge = new Set(request.knownExtremities);
    for (const id of [...request.references.values()].flat()) {
      if (!this.#missing.has(id) && !this.#given.has(id)) this.#edge.add(id);
    }
  }

  get found(): Pdu[] {
    return [...this.#found.values()];
  }

  get isClosed(): boolean {
    return this.#missing.size === 0 || this.#found.size >= MAX_EVENTS;
  }

  earliest(): EventId[] {
    return [...this.#edge].slice(0, MAX_EARLIEST);
  }

  missing(): EventId[] {
    return [...this.#missing].slice(0, MAX_SINGLE);
  }

  /** The events before which others are missing. */
  latest(): EventId[] {
    const isBefore = (ids: readonly EventId[]) => ids.some((id) => this.#missing.has(id));
    const given = [...this.#given].filter(([, ids]) => isBefore(ids)).map(([id]) => id);
    const found = this.found.filter(({ prevEvents }) => isBefore(prevEvents));
    return [...found.map(({ eventId }) => eventId), ...given].slice(0, LIMIT);
  }

  async add(given: ReadonlyMap<EventId, Pdu>): Promise<void> {
    const here = await this.#placed(given.keys());
    // What comes before that is no part of the gap.
    const fresh = [...given].filter(([id, { depth }]) => depth >= this.minDepth && !here.has(id));
    const ofGap = reachable(new Map(fresh), this.#missing, ({ prevEvents }) => prevEvents);
    for (const [id, pdu] of ofGap) this.#found.set(id, pdu);
    const referred = new Set(this.#missing);
    for (const pdu of ofGap.values()) for (const id of pdu.prevEvents) referred.add(id);
    for (const id of await this.#placed(referred)) this.#edge.add(id);
    this.#missing = new Set(
      [...referred].filter((id) => !this.#found.has(id) && !this.#edge.has(id)),
    );
  }

  /** Those that have their place in history. */
  async #placed(ids: Iterable<EventId>): Promise<Set<EventId>> {
    const stored = await this.#events.load([...ids]);
    const found = [...stored].filter(([, { stateBefore }]) => stateBefore !== undefined);
    return new Set(found.map(([id]) => id));
  }
}
