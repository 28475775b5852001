// Auth events that are missing: by event_auth, which gives all of a chain at once, then one by one.

import { federationPath } from '../../federation/federation-path.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { EventId, ServerName } from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import type { MissingEventsRequest } from '../input/missing-events.ts';
import type { Asker, Deadline } from './asker.ts';
import { fetchEvents } from './fetch-events.ts';
import { givenPdus, type OfRoom, reachable } from './given-pdus.ts';

const TIME_MS = 30_000;
const MAX_CHAINS = 3;
const MAX_EVENTS_OF_CHAIN = 20_000;
/** One by one. */
const MAX_SINGLE = 100;

interface Search {
  readonly request: MissingEventsRequest;
  readonly room: OfRoom;
  readonly deadline: Deadline;
}

export async function fetchAuthEvents(
  { events }: Pick<RoomserverContext, 'events'>,
  asker: Asker,
  { request, room }: Omit<Search, 'deadline'>,
): Promise<Pdu[]> {
  const search = { request, room, deadline: asker.deadline(TIME_MS, request.endsAt) };
  const found = new Map<EventId, Pdu>();
  const missing = () => request.eventIds.filter((id) => !found.has(id));
  for (const server of await asker.servers(request.roomId, request.origin)) {
    const chains = await fetchChains(asker, server, search);
    for (const [id, pdu] of chains) found.set(id, pdu);
    const ids = missing().slice(0, MAX_SINGLE);
    if (ids.length > 0) {
      for (const [id, pdu] of await fetchEvents(asker, { ...search, server, ids })) {
        found.set(id, pdu);
      }
    }
    if (missing().length === 0) break;
  }
  const stored = await events.load([...found.keys()]);
  return [...found.values()].filter(({ eventId }) => !stored.has(eventId));
}

/** Of the events that refer to what is missing; only worth it where that is more than a few. */
async function fetchChains(
  asker: Asker,
  server: ServerName,
  { request, room, deadline }: Search,
): Promise<Map<EventId, Pdu>> {
  const chains = new Map<EventId, Pdu>();
  const wanted = new Set(request.eventIds);
  for (const [eventId, ids] of [...request.references].slice(0, MAX_CHAINS)) {
    if (!ids.some((id) => wanted.has(id) && !chains.has(id))) continue;
    const path = federationPath`/_matrix/federation/v1/event_auth/${room.roomId}/${eventId}`;
    const answer = await asker.ask(server, { method: 'GET', path }, deadline);
    const given = await givenPdus(answer?.auth_chain, room, MAX_EVENTS_OF_CHAIN);
    const ofChain = reachable(given, wanted, ({ authEvents }) => authEvents);
    for (const [id, pdu] of ofChain) chains.set(id, pdu);
  }
  return chains;
}
