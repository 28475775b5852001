// The tokens that clients hand back: what has been told of each stream (`/sync`), and points in a room's
// history (`/messages`). Opaque to clients, versioned, valid across restarts.

import { MatrixError } from '../protocol/error.ts';

/** How far each stream has been told. */
export interface SyncToken {
  /** Positions in the event log. */
  readonly rooms: number;
  readonly users: number;
  readonly receipts: number;
  readonly toDevice: number;
  /** Counters of this process; meaningless in another `epoch`. */
  readonly typing: number;
  readonly presence: number;
  readonly epoch: number;
  /** ms since the epoch: peeks that expire later have not been told as ended. */
  readonly time: number;
}

/** A point between events. `stream`: after everything that arrived up to the position. */
export type PaginationToken =
  | { readonly kind: 'stream'; readonly position: number }
  | { readonly kind: 'topological'; readonly depth: number; readonly position: number };

/** Their order is the format: append only, under a new version. */
const STREAMS = [
  'rooms',
  'users',
  'receipts',
  'toDevice',
  'typing',
  'presence',
  'epoch',
  'time',
] as const satisfies readonly (keyof SyncToken)[];

const SYNC_PREFIX = 's1';
const STREAM_PREFIX = 'p1';
const TOPOLOGICAL_PREFIX = 't1';

export function encodeSyncToken(token: SyncToken): string {
  return [SYNC_PREFIX, ...STREAMS.map((stream) => encode(token[stream]))].join('_');
}

/** Throws M_INVALID_PARAM. */
export function parseSyncToken(text: string, parameter = 'since'): SyncToken {
  const [prefix, ...numbers] = text.split('_');
  if (prefix !== SYNC_PREFIX || numbers.length !== STREAMS.length) return refuse(parameter);
  const token: Partial<Record<keyof SyncToken, number>> = {};
  STREAMS.forEach((stream, index) => {
    token[stream] = decode(numbers[index] as string, parameter);
  });
  return token as SyncToken;
}

export function encodePaginationToken(token: PaginationToken): string {
  return token.kind === 'stream'
    ? `${STREAM_PREFIX}_${encode(token.position)}`
    : `${TOPOLOGICAL_PREFIX}_${encode(token.depth)}_${encode(token.position)}`;
}

/** Tokens of /sync are taken too. Throws M_INVALID_PARAM. */
export function parsePaginationToken(text: string, parameter: string): PaginationToken {
  const [prefix, first = '', second = '', ...rest] = text.split('_');
  if (prefix === SYNC_PREFIX) {
    return { kind: 'stream', position: parseSyncToken(text, parameter).rooms };
  }
  if (prefix === STREAM_PREFIX && second === '' && rest.length === 0) {
    return { kind: 'stream', position: decode(first, parameter) };
  }
  if (prefix === TOPOLOGICAL_PREFIX && rest.length === 0) {
    return {
      kind: 'topological',
      depth: decode(first, parameter),
      position: decode(second, parameter),
    };
  }
  return refuse(parameter);
}

function encode(value: number): string {
  return value.toString(36);
}

/** One text per number: `01` or `1.5` are none of ours. Positions of backfilled events are negative. */
function decode(text: string, parameter: string): number {
  const value = Number.parseInt(text, 36);
  if (!Number.isSafeInteger(value) || encode(value) !== text) return refuse(parameter);
  return value;
}

function refuse(parameter: string): never {
  throw new MatrixError('M_INVALID_PARAM', `${parameter} is not a token of this server`);
}
