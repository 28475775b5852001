// The bound of an LRU cache that counts entries. With the library's own `max` a cache takes the room for all of them, and the time
// to fill it, as it is made: for our caches together a third of a second at each start, and 20 MB.

export interface EntryBound {
  readonly maxSize: number;
  readonly sizeCalculation: () => number;
}

/** Options of an LRUCache that keeps at most `max` entries. */
export function entries(max: number): EntryBound {
  return { maxSize: max, sizeCalculation: () => 1 };
}
