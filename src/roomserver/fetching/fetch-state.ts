// The state before an event that history here has a gap before: by ids where most of it is here, else as a whole.

import { federationPath } from '../../federation/federation-path.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import { type EventId, isEventId, type ServerName } from '../../protocol/identifiers.ts';
import type { JsonValue } from '../../protocol/json.ts';
import type { RoomserverContext } from '../context.ts';
import type { StateBefore, StateBeforeRequest } from '../input/missing-events.ts';
import type { AnswerBudget } from './answer-budget.ts';
import type { Asker, Deadline } from './asker.ts';
import { fetchEvents } from './fetch-events.ts';
import { givenPdus, type OfRoom } from './given-pdus.ts';

const TIME_MS = 60_000;
/** More than these are asked for as a whole. */
const MAX_SINGLE = 100;
/** Of very many ids: mostly they tell all. */
const LOOKED_AT_FIRST = 500;
const MAX_STATE = 500_000;
const MAX_ID_BYTES = 16 * 1024 * 1024;
const MAX_BYTES = 64 * 1024 * 1024;

type Wanted = Pick<StateBeforeRequest, 'eventId' | 'withEvent' | 'isLast'>;

interface Search extends Wanted {
  readonly budget: AnswerBudget;
  readonly server: ServerName;
  readonly room: OfRoom;
  readonly deadline: Deadline;
}

export interface StateFetch {
  readonly request: StateBeforeRequest;
  readonly room: OfRoom;
  readonly budget: AnswerBudget;
}

export async function fetchState(
  context: Pick<RoomserverContext, 'events'>,
  asker: Asker,
  { request: { roomId, origin, endsAt, ...wanted }, room, budget }: StateFetch,
): Promise<StateBefore | undefined> {
  const deadline = asker.deadline(TIME_MS, endsAt);
  for (const server of await asker.servers(roomId, origin)) {
    if (budget.isSpent(server)) continue;
    const search = { ...wanted, budget, server, room, deadline };
    const state = await fetchFrom(context, asker, search);
    if (state !== undefined) return state;
  }
  return undefined;
}

async function fetchFrom(
  { events }: Pick<RoomserverContext, 'events'>,
  asker: Asker,
  search: Search,
): Promise<StateBefore | undefined> {
  const { server, eventId, withEvent, isLast, room, deadline } = search;
  const path = federationPath`/_matrix/federation/v1/state_ids/${room.roomId}`;
  const question = {
    method: 'GET',
    path,
    query: { event_id: eventId },
    maxBytes: MAX_ID_BYTES,
    onRead: readFrom(search),
  } as const;
  const answer = await asker.ask(server, question, deadline);
  const first = idsIn(answer?.pdu_ids, LOOKED_AT_FIRST);
  if (first === undefined || first.length === 0) return undefined;
  const whole = () =>
    asker.oneAtATime(async () =>
      // It may be spent by now, by those who were before in the queue.
      search.budget.isSpent(server) ? undefined : fetchWhole(asker, search),
    );
  if (first.length - (await events.load(first)).size > MAX_SINGLE) return whole();
  const stateIds = idsIn(answer?.pdu_ids);
  const authIds = idsIn(answer?.auth_chain_ids);
  if (stateIds === undefined || authIds === undefined) return undefined;
  const all = [...new Set([...(withEvent ? [eventId] : []), ...stateIds, ...authIds])];
  const stored = await events.load(all);
  const missing = all.filter((id) => !stored.has(id));
  if (missing.length > MAX_SINGLE) return whole();
  const fetched = await fetchEvents(asker, { server, ids: missing, room, deadline });
  // What has not the form of an event is given by nobody: with the whole state it is clear what that is. Before, what comes of the
  // events themselves is better than a hole in history.
  if (fetched.size < missing.length) return isLast ? whole() : undefined;
  return { stateIds, events: [...fetched.values()] };
}

async function fetchWhole(asker: Asker, search: Search): Promise<StateBefore | undefined> {
  const { server, eventId, withEvent, room, deadline } = search;
  const path = federationPath`/_matrix/federation/v1/state/${room.roomId}`;
  const question = {
    method: 'GET',
    path,
    query: { event_id: eventId },
    maxBytes: MAX_BYTES,
    onRead: readFrom(search),
  } as const;
  const answer = await asker.ask(server, question, deadline);
  if (answer === undefined) return undefined;
  const state = await givenPdus(answer.pdus, room, MAX_STATE);
  const authChain = await givenPdus(answer.auth_chain, room, MAX_STATE);
  if (state.size === 0) return undefined;
  const ids = withEvent ? [eventId] : [];
  const itself = await fetchEvents(asker, { server, ids, room, deadline });
  const events = new Map<EventId, Pdu>([...itself, ...authChain, ...state]);
  return { stateIds: [...state.keys()], events: [...events.values()] };
}

function readFrom({ budget, server }: Search): (bytes: number) => void {
  return (bytes) => budget.spend(server, bytes);
}

/** The first of a list of ids; undefined for what is none. */
function idsIn(value: JsonValue | undefined, count = MAX_STATE): EventId[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_STATE) return undefined;
  const first = value.length > count ? value.slice(0, count) : value;
  const ids = first.filter(isEventId);
  return ids.length === first.length ? ids : undefined;
}
