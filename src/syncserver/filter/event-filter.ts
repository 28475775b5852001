// Which events a client wants (Client-Server API, "Filtering"): EventFilter and RoomEventFilter, compiled.

import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/json.ts';

/** What a filter looks at. */
export interface FilterSubject {
  readonly type: string;
  /** Absent for events that have none, such as account data: filters of senders do not apply to them. */
  readonly sender?: string;
  readonly containsUrl?: boolean;
}

export interface EventFilter {
  /** Undefined: the client does not say. */
  readonly limit: number | undefined;
  /** Whether the filter lets every event pass. */
  readonly passesAll: boolean;
  /** Whether the filter lets no event pass, whatever its type. */
  readonly passesNone: boolean;
  passes(subject: FilterSubject): boolean;
  /** Filters of rooms; an EventFilter has none and lets all pass. */
  passesRoom(roomId: string): boolean;
  readonly lazyLoadMembers: boolean;
  readonly includeRedundantMembers: boolean;
  readonly unreadThreadNotifications: boolean;
}

type Test = (value: string) => boolean;

/** Malformed parts count as absent: their form is checked where filters come in. */
export function compileEventFilter(json: JsonValue | undefined): EventFilter {
  const filter: JsonObject = isJsonObject(json) ? json : {};
  const type = both(types(filter.types), none(types(filter.not_types)));
  const sender = both(members(filter.senders), none(members(filter.not_senders)));
  const room = both(members(filter.rooms), none(members(filter.not_rooms)));
  const url = typeof filter.contains_url === 'boolean' ? filter.contains_url : undefined;
  return {
    limit: typeof filter.limit === 'number' ? filter.limit : undefined,
    passesAll: type === undefined && sender === undefined && url === undefined,
    passesNone: isEmpty(filter.types) || isEmpty(filter.senders),
    passes: (subject) =>
      (type === undefined || type(subject.type)) &&
      (sender === undefined || subject.sender === undefined || sender(subject.sender)) &&
      (url === undefined || url === (subject.containsUrl ?? false)),
    passesRoom: (roomId) => room === undefined || room(roomId),
    lazyLoadMembers: filter.lazy_load_members === true,
    includeRedundantMembers: filter.include_redundant_members === true,
    unreadThreadNotifications: filter.unread_thread_notifications === true,
  };
}

function isEmpty(list: JsonValue | undefined): boolean {
  return Array.isArray(list) && list.length === 0;
}

function strings(list: JsonValue | undefined): string[] | undefined {
  return Array.isArray(list) ? list.filter((item) => typeof item === 'string') : undefined;
}

function members(list: JsonValue | undefined): Test | undefined {
  const listed = strings(list);
  if (listed === undefined) return undefined;
  const set = new Set(listed);
  return (value) => set.has(value);
}

function types(list: JsonValue | undefined): Test | undefined {
  const listed = strings(list);
  if (listed === undefined) return undefined;
  const exact = new Set(listed.filter((pattern) => !pattern.includes('*')));
  const patterns = listed.filter((pattern) => pattern.includes('*')).map(compileStars);
  if (patterns.length === 0) return (value) => exact.has(value);
  return remembering((value) => exact.has(value) || patterns.some((matches) => matches(value)));
}

const MAX_REMEMBERED = 1_000;

/** There may be very many patterns and events, but there are few types of events. */
function remembering(test: Test): Test {
  const known = new Map<string, boolean>();
  return (value) => {
    const found = known.get(value) ?? test(value);
    if (known.size < MAX_REMEMBERED) known.set(value, found);
    return found;
  };
}

function none(test: Test | undefined): Test | undefined {
  return test && ((value) => !test(value));
}

function both(one: Test | undefined, other: Test | undefined): Test | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return (value) => one(value) && other(value);
}

/** `*` matches any sequence of characters; nothing else is special. Takes linear time. */
function compileStars(pattern: string): Test {
  const [start = '', ...stretches] = pattern.split('*');
  const end = stretches.pop() ?? '';
  return (value) => {
    if (value.length < start.length + end.length) return false;
    if (!value.startsWith(start) || !value.endsWith(end)) return false;
    let from = start.length;
    for (const stretch of stretches) {
      const found = value.indexOf(stretch, from);
      if (found === -1) return false;
      from = found + stretch.length;
    }
    return from <= value.length - end.length;
  };
}
