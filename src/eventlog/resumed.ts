// How parked entries come again: at the end of the log, for the one consumer that could not apply them. So they stand
// after all that its readers have been told meanwhile, and nobody passes them over.

import type { AnyEntry } from './entry-store.ts';
import type { NewEntry } from './sequencer.ts';

interface Resumed {
  readonly consumer: string;
  /** With it the key is free again. */
  readonly isLast: boolean;
}

interface Marked {
  readonly resumed?: Resumed;
}

export function resumedOf({ entry }: AnyEntry): Resumed | undefined {
  return (entry as Marked).resumed;
}

/** All parked entries of a key, in order, as they are to be appended. */
export function appendedAgain(entries: readonly AnyEntry[], consumer: string): NewEntry[] {
  return entries.map(({ key, entry }, index) => {
    const resumed: Resumed = { consumer, isLast: index === entries.length - 1 };
    const marked: AnyEntry['entry'] & Marked = { ...entry, ...{ resumed } };
    return { key, entry: marked };
  });
}

/** Up to the entry, itself included, with which a key is free again: what follows is applied when it is. */
export function upToResumed(entries: readonly AnyEntry[], consumer: string): readonly AnyEntry[] {
  const end = entries.findIndex((entry) => {
    const resumed = resumedOf(entry);
    return resumed?.consumer === consumer && resumed.isLast;
  });
  return end === -1 ? entries : entries.slice(0, end + 1);
}
