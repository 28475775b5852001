// The filter of /sync, compiled: what each section is to hold.

import { isJsonObject, type JsonObject } from '../../protocol/json.ts';
import { compileEventFields, type FieldSelection } from './event-fields.ts';
import { compileEventFilter, type EventFilter } from './event-filter.ts';

export const DEFAULT_TIMELINE_LIMIT = 10;
export const MAX_TIMELINE_LIMIT = 500;

export interface SyncFilter {
  readonly presence: EventFilter;
  readonly accountData: EventFilter;
  readonly state: EventFilter;
  readonly timeline: EventFilter;
  readonly ephemeral: EventFilter;
  readonly roomAccountData: EventFilter;
  readonly timelineLimit: number;
  readonly includeLeave: boolean;
  readonly federationFormat: boolean;
  readonly fields: FieldSelection | undefined;
  /** Before the filters of the sections. */
  passesRoom(roomId: string): boolean;
}

const compiled = new WeakMap<JsonObject, SyncFilter>();

/** Remembered for as long as the object is, which is not to be changed. */
export function compileSyncFilter(json: JsonObject): SyncFilter {
  const known = compiled.get(json);
  if (known !== undefined) return known;
  const filter = compile(json);
  compiled.set(json, filter);
  return filter;
}

function compile(json: JsonObject): SyncFilter {
  const room = isJsonObject(json.room) ? json.room : {};
  const rooms = compileEventFilter({ rooms: room.rooms, not_rooms: room.not_rooms });
  const timeline = compileEventFilter(room.timeline);
  return {
    presence: compileEventFilter(json.presence),
    accountData: compileEventFilter(json.account_data),
    state: compileEventFilter(room.state),
    timeline,
    ephemeral: compileEventFilter(room.ephemeral),
    roomAccountData: compileEventFilter(room.account_data),
    timelineLimit: limitOf(timeline),
    includeLeave: room.include_leave === true,
    federationFormat: json.event_format === 'federation',
    fields: compileEventFields(json.event_fields),
    passesRoom: rooms.passesRoom,
  };
}

function limitOf({ limit = DEFAULT_TIMELINE_LIMIT }: EventFilter): number {
  return Math.min(Math.max(Math.trunc(limit), 0), MAX_TIMELINE_LIMIT);
}
