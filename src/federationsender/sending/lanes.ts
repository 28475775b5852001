// Whose turn it is to be sent to. Destinations that answered last time have a lane of their own, so that those which may
// be dead, and hold a connection until it times out, delay none of them.

export interface LaneLimits {
  /** Sent to at once, of those that answered last time. */
  readonly living: number;
  /** Of those that did not, or were never tried. */
  readonly doubtful: number;
  /** Of living ones that take long: their place is given to others up to this number. */
  readonly slow: number;
}

export type Lane = 'living' | 'doubtful';

export interface Turn<T> {
  readonly item: T;
  /** It takes long, and may have died just now. */
  slow(): void;
  end(): void;
}

export class Lanes<T> {
  readonly #limits: LaneLimits;
  readonly #mayBegin: () => boolean;
  readonly #waiting: Record<Lane, Set<T>> = { living: new Set(), doubtful: new Set() };
  readonly #running: Record<Lane | 'slow', number> = { living: 0, doubtful: 0, slow: 0 };

  /** `mayBegin`: asked before one of the doubtful begins. */
  constructor(limits: LaneLimits, mayBegin: () => boolean) {
    this.#limits = limits;
    this.#mayBegin = mayBegin;
  }

  push(lane: Lane, item: T): void {
    this.#waiting[lane].add(item);
  }

  /** First come, first served, in each lane; undefined when nobody waits, all places are taken, or they may not begin yet. */
  next(): Turn<T> | undefined {
    return this.#nextOf('living') ?? this.#nextOf('doubtful');
  }

  #nextOf(lane: Lane): Turn<T> | undefined {
    if (this.#running[lane] >= this.#limits[lane]) return undefined;
    const [item] = this.#waiting[lane];
    if (item === undefined) return undefined;
    if (lane === 'doubtful' && !this.#mayBegin()) return undefined;
    this.#waiting[lane].delete(item);
    this.#running[lane] += 1;
    let place: Lane | 'slow' = lane;
    return {
      item,
      slow: () => {
        if (place !== 'living' || this.#running.slow >= this.#limits.slow) return;
        place = 'slow';
        this.#running.living -= 1;
        this.#running.slow += 1;
      },
      end: () => {
        this.#running[place] -= 1;
      },
    };
  }
}
