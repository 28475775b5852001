// What is unread of a room for a user, with its sums. A list never changes; those that follow one another share what
// they have in common, so that a message more costs the same however much is unread.

import type { EventId } from '../../protocol/identifiers.ts';
import { MAIN_THREAD } from './thread-of.ts';

/** An event of which the user is to be notified. */
export interface Unread {
  readonly position: number;
  /** `main` or the thread's root. */
  readonly thread: EventId | typeof MAIN_THREAD;
  readonly highlight: boolean;
}

export interface Counts {
  readonly highlight_count: number;
  readonly notification_count: number;
}

export interface UnreadCounts {
  readonly all: Counts;
  readonly main: Counts;
  /** By root; threads without any are left out. */
  readonly threads: ReadonlyMap<string, Counts>;
}

const NO_COUNTS: Counts = { highlight_count: 0, notification_count: 0 };

export class UnreadList {
  static readonly empty = new UnreadList([], 0, {
    all: NO_COUNTS,
    main: NO_COUNTS,
    threads: new Map(),
  });

  readonly counts: UnreadCounts;
  /** Shared with the lists that follow on this one: the first `#length` are this one's. */
  readonly #entries: Unread[];
  readonly #length: number;

  private constructor(entries: Unread[], length: number, counts: UnreadCounts) {
    this.#entries = entries;
    this.#length = length;
    this.counts = counts;
  }

  with(added: readonly Unread[]): UnreadList {
    if (added.length === 0) return this;
    const isLast = this.#entries.length === this.#length;
    const entries = isLast ? this.#entries : this.entries();
    entries.push(...added);
    return new UnreadList(entries, entries.length, added.reduce(counted, this.counts));
  }

  filter(isKept: (entry: Unread) => boolean): UnreadList {
    return UnreadList.empty.with(this.entries().filter(isKept));
  }

  entries(): Unread[] {
    return this.#entries.slice(0, this.#length);
  }
}

function counted(counts: UnreadCounts, { thread, highlight }: Unread): UnreadCounts {
  const { all, main, threads } = counts;
  if (thread === MAIN_THREAD) {
    return { all: plusOne(all, highlight), main: plusOne(main, highlight), threads };
  }
  const more = plusOne(threads.get(thread) ?? NO_COUNTS, highlight);
  return { all: plusOne(all, highlight), main, threads: new Map(threads).set(thread, more) };
}

function plusOne(counts: Counts, highlight: boolean): Counts {
  return {
    highlight_count: counts.highlight_count + Number(highlight),
    notification_count: counts.notification_count + 1,
  };
}
