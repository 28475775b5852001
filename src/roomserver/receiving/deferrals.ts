// Staged events that lack what they refer to, because nobody has answered: they come again, some times. Kept in memory:
// after a restart their rows are simply taken up.

import type { StagedPdu } from '../store/staged-pdus.ts';

/** ms before each further attempt. */
const PAUSES_MS = [1_000, 10_000, 60_000, 600_000] as const;
/** Attempts after which a hole in history is better than to wait on. */
const EARLY = 3;

export class Deferrals {
  readonly #attempts = new Map<number, number>();
  /** Not to be taken up before their time, by room and origin. */
  readonly #waiting = new Map<string, Set<number>>();

  /** In ms, before the event may come again; undefined: it has come often enough. */
  defer(staged: StagedPdu): number | undefined {
    const attempts = this.#attempts.get(staged.id) ?? 0;
    const pause = PAUSES_MS[attempts];
    if (pause === undefined) return undefined;
    this.#attempts.set(staged.id, attempts + 1);
    const key = keyOf(staged);
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(staged.id));
    return pause;
  }

  /** How long they have been tried: not yet, not often, or often enough (undefined). */
  readonly patienceWith = (staged: readonly StagedPdu[]): 'new' | 'early' | undefined => {
    const attempts = Math.max(0, ...staged.map(({ id }) => this.#attempts.get(id) ?? 0));
    if (attempts === 0) return 'new';
    return attempts < EARLY ? 'early' : undefined;
  };

  waiting(place: Place): readonly number[] {
    return [...(this.#waiting.get(keyOf(place)) ?? [])];
  }

  /** How many may still come again. */
  countOf(place: Place): number {
    return this.#waiting.get(keyOf(place))?.size ?? 0;
  }

  /** Its time has come. */
  release(staged: StagedPdu): void {
    const key = keyOf(staged);
    const waiting = this.#waiting.get(key);
    waiting?.delete(staged.id);
    if (waiting?.size === 0) this.#waiting.delete(key);
  }

  /** It has met its fate. */
  forget(id: number): void {
    this.#attempts.delete(id);
  }
}

type Place = Pick<StagedPdu, 'roomId' | 'origin'>;

function keyOf({ roomId, origin }: Place): string {
  return `${roomId} ${origin}`;
}
