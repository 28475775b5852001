// `/.well-known/matrix/server`, and how long its answers are believed (Server-Server API, "Resolving server names", step 3).

import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { entries } from '../lru-entries.ts';
import { isServerName } from '../protocol/identifiers.ts';
import { isJsonObject } from '../protocol/json.ts';
import { parseForeignJson } from '../protocol/json-checks.ts';
import { createDeadline } from './deadline.ts';
import { type HttpAnswer, readBytes } from './http-exchange.ts';

const HOUR = 3_600_000;
const DEFAULT_LIFETIME = 24 * HOUR;
const SHORTEST_LIFETIME = HOUR;
const LONGEST_LIFETIME = 48 * HOUR;
/** After a failure; doubled with each further one. */
const FIRST_RETRY = 60_000;
const LAST_RETRY = HOUR;

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 51_200;
const MAX_ENTRIES = 10_000;

interface Entry {
  /** Undefined: there is no valid answer. */
  readonly delegate: string | undefined;
  readonly refreshAt: number;
  /** How long a valid answer stands in for one that cannot be had. */
  readonly keptUntil: number;
  readonly failures: number;
}

export interface WellKnownOptions {
  /** Follows redirects. */
  readonly get: (url: URL, signal: AbortSignal) => Promise<HttpAnswer>;
  readonly clock: Clock;
  readonly timers: Clock;
}

export class WellKnown {
  readonly #options: WellKnownOptions;
  readonly #entries = new LRUCache<string, Entry>(entries(MAX_ENTRIES));
  readonly #fetching = new Map<string, Promise<Entry>>();

  constructor(options: WellKnownOptions) {
    this.#options = options;
  }

  /** The `m.server` of a host; undefined where it has none that is valid. */
  async delegateOf(host: string): Promise<string | undefined> {
    const known = this.#entries.get(host);
    if (known !== undefined && this.#options.clock.now() < known.refreshAt) return known.delegate;
    const fetching = this.#fetching.get(host) ?? this.#refresh(host, known);
    this.#fetching.set(host, fetching);
    try {
      return (await fetching).delegate;
    } finally {
      if (this.#fetching.get(host) === fetching) this.#fetching.delete(host);
    }
  }

  async #refresh(host: string, known: Entry | undefined): Promise<Entry> {
    const entry = (await this.#fetch(host)) ?? this.#failed(known);
    this.#entries.set(host, entry);
    return entry;
  }

  #failed(known: Entry | undefined): Entry {
    const now = this.#options.clock.now();
    const failures = (known?.failures ?? 0) + 1;
    const wait = Math.min(FIRST_RETRY * 2 ** (failures - 1), LAST_RETRY);
    const keptUntil = known?.keptUntil ?? 0;
    const delegate = now < keptUntil ? known?.delegate : undefined;
    return { delegate, refreshAt: now + wait, keptUntil, failures };
  }

  /** Undefined where the answer is not valid, whatever the reason. */
  async #fetch(host: string): Promise<Entry | undefined> {
    const { clock, timers, get } = this.#options;
    const deadline = createDeadline(timers, TIMEOUT_MS);
    try {
      const url = new URL(`https://${host}/.well-known/matrix/server`);
      const answer = await get(url, deadline.signal);
      const delegate = delegateIn(await readBytes(answer, MAX_BYTES));
      if (answer.status !== 200 || delegate === undefined) return undefined;
      const now = clock.now();
      const refreshAt = now + lifetimeOf(answer, now);
      return { delegate, refreshAt, keptUntil: now + LONGEST_LIFETIME, failures: 0 };
    } catch {
      // Any failure is the same to discovery: it goes on to the next step.
      return undefined;
    } finally {
      deadline.clear();
    }
  }
}

function delegateIn(bytes: Buffer): string | undefined {
  const json = parseForeignJson(bytes.toString('utf8'));
  const delegate = isJsonObject(json) ? json['m.server'] : undefined;
  return isServerName(delegate) ? delegate : undefined;
}

function lifetimeOf(answer: HttpAnswer, now: number): number {
  const lifetime = statedLifetime(answer, now) ?? DEFAULT_LIFETIME;
  return Math.min(Math.max(lifetime, SHORTEST_LIFETIME), LONGEST_LIFETIME);
}

/** RFC 9111, sections 5.2 and 5.3. */
function statedLifetime(answer: HttpAnswer, now: number): number | undefined {
  const control = answer.header('cache-control')?.toLowerCase() ?? '';
  if (/(?:^|[\s,])no-(?:store|cache)\b/.test(control)) return 0;
  const seconds = /(?:^|[\s,])max-age\s*=\s*"?([0-9]{1,12})/.exec(control)?.[1];
  if (seconds !== undefined) return Number(seconds) * 1000;
  const expires = answer.header('expires');
  if (expires === undefined) return undefined;
  const at = Date.parse(expires);
  return Number.isNaN(at) ? 0 : at - now;
}
