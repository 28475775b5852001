// What a server answers to PUT /peek, in the words of MSC2444 or of two servers that differ from it: which they are is
// told from the shape. Nothing is verified here: that is the pipeline's work.

import { giveWay } from '../../give-way.ts';
import { MatrixError } from '../../protocol/error.ts';
import { checkPduFormat } from '../../protocol/events/format.ts';
import type { PduJson, PduRecord } from '../../protocol/events/pdu.ts';
import { eventIdOf } from '../../protocol/hashing.ts';
import { type EventId, isEventId } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import type { RoomVersionId, RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import { isRoomVersion, rulesOf } from '../../protocol/roomversions/table.ts';

export interface PeekAnswer {
  readonly roomVersion: RoomVersionId;
  readonly extremities: readonly {
    readonly eventId: EventId;
    readonly stateAfter: readonly EventId[];
  }[];
  /** Those that are events at all. */
  readonly events: readonly PduRecord[];
  /** ms. */
  readonly renewalInterval: number;
}

/** Of servers that measure it in something else than milliseconds, or forget it. */
const LONGEST_INTERVAL_MS = 24 * 3_600_000;
const DEFAULT_INTERVAL_MS = 3_600_000;
/** A room with more of them is no room that anybody can follow. */
const MAX_EXTREMITIES = 100;
/** Events of which the ids are made before others have their turn. */
const AT_ONCE = 10;
/** Of the states after all of them together, so that no answer grows a hundredfold here. */
const MAX_STATE_EVENTS = 2_000_000;

/** Throws M_UNKNOWN for what is no answer. */
export async function readPeekAnswer(answer: JsonObject): Promise<PeekAnswer> {
  const roomVersion = roomVersionOf(answer);
  const rules = rulesOf(roomVersion);
  const renewalInterval = intervalOf(answer.renewal_interval);
  const { latest_event_state_ids: latest } = answer;
  if (isJsonObject(latest)) {
    const events = await readEvents(answer.events, rules);
    const common = [...new Set(readIds(answer.common_state_ids))];
    const extremities = statesAfter(latest, common);
    return checked({ roomVersion, extremities, events, renewalInterval });
  }
  return checked({ ...(await readWholeState(answer, rules)), roomVersion, renewalInterval });
}

/** What has nothing of its own shares what is common. */
function statesAfter(latest: JsonObject, common: readonly EventId[]): PeekAnswer['extremities'] {
  let total = 0;
  return Object.entries(latest).map(([eventId, given]) => {
    const ids = readIds(given);
    if (ids.length === 0) return { eventId: checkId(eventId), stateAfter: common };
    total += common.length + ids.length;
    if (total > MAX_STATE_EVENTS) throw malformed('its states are too large');
    return { eventId: checkId(eventId), stateAfter: [...new Set([...common, ...ids])] };
  });
}

/** One state after all extremities, which are `latest_event` (Dendrite) or the last among `messages` (Palpo). */
async function readWholeState(
  answer: JsonObject,
  rules: RoomVersionRules,
): Promise<Pick<PeekAnswer, 'extremities' | 'events'>> {
  const state = await readEvents(answer.state, rules);
  const recent = isJsonObject(answer.latest_event) ? [answer.latest_event] : answer.messages;
  const latest = await readEvents(recent, rules);
  const events = [...state, ...(await readEvents(answer.auth_chain, rules)), ...latest];
  const stateAfter = state.map(({ eventId }) => eventId);
  const extremities = lastAmong(latest).map((eventId) => ({ eventId, stateAfter }));
  return { extremities, events };
}

function lastAmong(events: readonly PduRecord[]): EventId[] {
  const referred = new Set(events.flatMap(({ json }) => referencesOf(json.prev_events)));
  return events.map(({ eventId }) => eventId).filter((eventId) => !referred.has(eventId));
}

/** Of either format: ids, or pairs of an id and hashes. */
function referencesOf(references: JsonValue | undefined): EventId[] {
  if (!Array.isArray(references)) return [];
  return references.map((one) => (Array.isArray(one) ? one[0] : one)).filter(isEventId);
}

function checked(answer: PeekAnswer): PeekAnswer {
  const { length } = answer.extremities;
  if (length === 0) throw malformed('it names no latest event');
  if (length > MAX_EXTREMITIES) throw malformed('it names too many latest events');
  return answer;
}

/** `room_version` is no part of the MSC: the m.room.create event says it, too. */
function roomVersionOf({ room_version: said, events, state }: JsonObject): RoomVersionId {
  const version = said ?? createVersion(events) ?? createVersion(state);
  if (isRoomVersion(version)) return version;
  throw malformed('it is of no room version that is known here');
}

function createVersion(events: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(events)) return undefined;
  const create = events.find((one) => isJsonObject(one) && one.type === 'm.room.create');
  return isJsonObject(create?.content) ? (create.content.room_version ?? '1') : undefined;
}

/** Those that have not the form of an event are left out: what needs them will be found wanting. */
async function readEvents(
  events: JsonValue | undefined,
  rules: RoomVersionRules,
): Promise<PduRecord[]> {
  if (!Array.isArray(events)) return [];
  const records = new Map<EventId, PduRecord>();
  for (const [i, json] of events.entries()) {
    if (i % AT_ONCE === AT_ONCE - 1) await giveWay();
    const record = readEvent(json, rules);
    if (record !== undefined) records.set(record.eventId, record);
  }
  return [...records.values()];
}

function readEvent(json: JsonValue, rules: RoomVersionRules): PduRecord | undefined {
  try {
    const event: PduJson = checkPduFormat(json, rules);
    return { eventId: eventIdOf(event, rules), roomVersion: rules.id, json: event };
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}

function readIds(ids: JsonValue | undefined): EventId[] {
  return Array.isArray(ids) ? ids.map(checkId) : [];
}

function checkId(id: JsonValue): EventId {
  if (isEventId(id)) return id;
  throw malformed('it names what is no event');
}

function intervalOf(interval: JsonValue | undefined): number {
  if (typeof interval !== 'number' || !(interval > 0)) return DEFAULT_INTERVAL_MS;
  return Math.min(interval, LONGEST_INTERVAL_MS);
}

function malformed(why: string): MatrixError {
  return new MatrixError('M_UNKNOWN', `The answer to PUT /peek cannot be used: ${why}`);
}
