// How servers that exist speak of peeking: MSC2444 as it is written, Dendrite (08cac1c) and Palpo (feb2e29). What they
// answer, what they leave out, and what harms them.

import type { Json } from './json.ts';
import type { PeerRoom } from './room.ts';

export type Dialect = 'msc2444' | 'dendrite' | 'palpo';

const HOUR_MS = 3_600_000;
/** Palpo's messages in an answer. */
const MAX_MESSAGES = 50;

export interface DialectRules {
  /** As the answer says it: Dendrite writes microseconds where milliseconds are meant. */
  readonly renewalInterval: number;
  /** Whether a peek id may come again. Dendrite's table refuses it, and the process ends. */
  readonly survivesRepeatedPut: boolean;
  readonly knowsRenew: boolean;
  /** Whether DELETE is told from PUT. */
  readonly knowsDelete: boolean;
  /** Whether unknown peeks are 404. */
  readonly tellsUnknown: boolean;
  readonly tellsExpiry: boolean;
  readonly checksVersion: boolean;
  readonly checksVisibility: boolean;
  /** Events of others' users are not passed on. */
  readonly relaysOwnAlone: boolean;
  readonly relaysClosing: boolean;
  /** What a server outside of the room may ask. */
  readonly readable: readonly string[];
  readonly answer: (room: PeerRoom) => Json;
}

const ALL_READABLE = [
  'event',
  'event_auth',
  'state',
  'state_ids',
  'backfill',
  'get_missing_events',
];

export const DIALECTS: Readonly<Record<Dialect, DialectRules>> = {
  msc2444: {
    renewalInterval: HOUR_MS,
    survivesRepeatedPut: true,
    knowsRenew: true,
    knowsDelete: true,
    tellsUnknown: true,
    tellsExpiry: true,
    checksVersion: true,
    checksVisibility: true,
    relaysOwnAlone: false,
    relaysClosing: true,
    readable: ALL_READABLE,
    answer: mscAnswer,
  },
  dendrite: {
    renewalInterval: HOUR_MS * 1000,
    survivesRepeatedPut: false,
    knowsRenew: false,
    knowsDelete: false,
    tellsUnknown: false,
    tellsExpiry: false,
    checksVersion: true,
    checksVisibility: false,
    relaysOwnAlone: true,
    relaysClosing: true,
    readable: ALL_READABLE,
    answer: (room) => ({
      ...wholeState(room),
      room_version: room.version,
      latest_event: room.event(room.heads[0] ?? ''),
    }),
  },
  palpo: {
    renewalInterval: HOUR_MS,
    survivesRepeatedPut: true,
    knowsRenew: false,
    knowsDelete: true,
    tellsUnknown: false,
    tellsExpiry: false,
    checksVersion: false,
    checksVisibility: true,
    relaysOwnAlone: false,
    relaysClosing: false,
    readable: ['backfill'],
    answer: (room) => ({
      ...wholeState(room),
      room_version: room.version,
      messages: room.before(room.heads, MAX_MESSAGES).reverse(),
    }),
  },
};

function mscAnswer(room: PeerRoom): Json {
  const states = new Map(
    room.heads.map((head) => [head, new Set(room.stateAfter([head]).values())]),
  );
  const common = [...states.values()].reduce((one, other) => one.intersection(other));
  const ids = new Set([...room.heads, ...[...states.values()].flatMap((state) => [...state])]);
  for (const id of room.authChain([...ids])) ids.add(id);
  return {
    latest_event_state_ids: Object.fromEntries(
      [...states].map(([head, state]) => [head, [...state.difference(common)]]),
    ),
    common_state_ids: [...common],
    events: [...ids].map((id) => room.event(id)),
  };
}

function wholeState(room: PeerRoom): Json {
  const ids = [...room.stateAfter(room.heads).values()];
  return {
    state: ids.map((id) => room.event(id)),
    auth_chain: room.authChain(ids).map((id) => room.event(id)),
  };
}
