// What lies between two servers, in one direction: requests of the origin to the destination, with the faults that a test
// wants: always, by chance (seeded), or once.

import { type Random, seededRandom } from '../seeded-random.ts';

/**
 * `dropRequest`: the connection breaks before the request has arrived. `dropAnswer`: it arrives, the answer is lost.
 * `garbage`: it arrives, the answer is no JSON. `error`: it does not arrive, the answer is a 503 of some proxy. `twice`: it
 * arrives twice, the second answer is given.
 */
export type Fault = 'dropRequest' | 'dropAnswer' | 'garbage' | 'error' | 'twice';

/** How often each fault strikes, from 0 to 1, and how late requests arrive. */
export type Weather = Readonly<Partial<Record<Fault, number>>> & {
  /** ms of real time, at random between the two. */
  readonly delayMs?: readonly [number, number];
};

export interface Exchange {
  readonly method: string;
  /** With the query, as sent. */
  readonly path: string;
  readonly body: string;
  /** `cut` while the link is. */
  readonly fault?: Fault | 'cut';
  /** Of the destination; absent where it has not been asked, or not answered. */
  status?: number;
  answer?: string;
}

interface Once {
  readonly matches: (path: string) => boolean;
  readonly fault: Fault;
}

interface Hold {
  readonly matches: (path: string) => boolean;
  readonly released: Promise<void>;
  readonly arrived: () => void;
}

/** Requests that are held up, until they are let go. */
export interface Held {
  /** Resolves when one has arrived. */
  readonly arrived: Promise<void>;
  release(): void;
}

export class Link {
  isCut = false;
  weather: Weather = {};
  /** All that was asked, oldest first. */
  readonly exchanges: Exchange[] = [];
  readonly #random: Random;
  readonly #once: Once[] = [];
  readonly #holds = new Set<Hold>();
  readonly #answerHolds = new Set<Hold>();

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** The next request whose path matches meets the fault. */
  next(path: string | RegExp, fault: Fault): void {
    this.#once.push({ matches: matcher(path), fault });
  }

  /** Holds up all requests whose path matches. */
  hold(path: string | RegExp): Held {
    return holdIn(this.#holds, path);
  }

  /** Holds up all answers to requests whose path matches; of those that arrive twice, both. */
  holdAnswers(path: string | RegExp): Held {
    return holdIn(this.#answerHolds, path);
  }
  /** Resolves when the request may go on, with what becomes of it. */
  async enter(path: string): Promise<Fault | 'cut' | undefined> {
    const fault = this.#faultOf(path);
    const [least, most] = this.weather.delayMs ?? [0, 0];
    const delayMs = most === 0 ? 0 : least + this.#random() * (most - least);
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    await passHolds(this.#holds, path);
    return this.isCut ? 'cut' : fault;
  }

  /** Resolves when the answer may go on. */
  leave(path: string): Promise<void> {
    return passHolds(this.#answerHolds, path);
  }

  #faultOf(path: string): Fault | undefined {
    const index = this.#once.findIndex(({ matches }) => matches(path));
    if (index !== -1) return this.#once.splice(index, 1)[0]?.fault;
    let number = this.#random();
    for (const fault of ['dropRequest', 'dropAnswer', 'garbage', 'error', 'twice'] as const) {
      number -= this.weather[fault] ?? 0;
      if (number < 0) return fault;
    }
    return undefined;
  }
}

function holdIn(holds: Set<Hold>, path: string | RegExp): Held {
  const released = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const hold = {
    matches: matcher(path),
    released: released.promise,
    arrived: () => arrived.resolve(),
  };
  holds.add(hold);
  const release = () => {
    holds.delete(hold);
    released.resolve();
  };
  return { arrived: arrived.promise, release };
}

async function passHolds(holds: ReadonlySet<Hold>, path: string): Promise<void> {
  for (const hold of holds) {
    if (!hold.matches(path)) continue;
    hold.arrived();
    await hold.released;
  }
}

function matcher(path: string | RegExp): (path: string) => boolean {
  return typeof path === 'string' ? (one) => one.includes(path) : (one) => path.test(one);
}

/** The links of a network, made when first used. */
export class Links {
  /** Requests that are under way. */
  underWay = 0;
  readonly #seed: number;
  readonly #links = new Map<string, Link>();
  #cutPairs: (origin: string, destination: string) => boolean = () => false;
  #weather: Weather = {};

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** `origin`: `unsigned` for requests that do not say who asks. */
  between(origin: string, destination: string): Link {
    const name = `${origin} ${destination}`;
    let link = this.#links.get(name);
    if (link === undefined) {
      link = new Link(this.#seed + 7919 * this.#links.size);
      link.isCut = this.#cutPairs(origin, destination);
      link.weather = this.#weather;
      this.#links.set(name, link);
    }
    return link;
  }

  get all(): readonly Link[] {
    return [...this.#links.values()];
  }

  /** Of all links, those to come included. */
  setWeather(weather: Weather): void {
    this.#weather = weather;
    for (const link of this.#links.values()) link.weather = weather;
  }

  /** Of all links, those to come included. */
  cutWhere(isCut: (origin: string, destination: string) => boolean): void {
    this.#cutPairs = isCut;
    for (const [name, link] of this.#links) {
      const [origin = '', destination = ''] = name.split(' ');
      link.isCut = isCut(origin, destination);
    }
  }
}
