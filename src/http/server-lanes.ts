// When a request of another server is read: its work is estimated beforehand, and comes out of what its address, and the server
// that it claims to be of, may have done in a time. Who has spent that, or has a transaction under way, waits with its body unread:
// however fast somebody sends, what is left of the event loop is others'.

import type { Clock } from '../clock.ts';
import { limitExceeded, type RateLimits } from './rate-limit.ts';

/** A server waits for the answer before it sends the next one: more come of those alone who do not care. */
const MAX_WAITING_TRANSACTIONS = 16;
const MAX_WAITING_OF_ADDRESS = 100;
/** Other servers wait at least so long for an answer, ms. */
const MAX_WAIT_MS = 20_000;
const AGAIN_MS = 1_000;
/** A connection that broke without a word, while a body came, keeps the next one out for so long, ms. */
const MAX_READING_MS = 10_000;

/** What a request costs, in ms, whatever is in it. */
const REQUEST_MS = 1;
/** A PDU is no smaller than that: of each it has to be found out what becomes of it. */
const BYTES_OF_PDU = 1024;
const MAX_PDUS = 50;
/** To read, parse and verify. */
const BYTES_PER_MS = 50 * 1024;

export interface Entering {
  /** See addressKey. */
  readonly address: string;
  /** The server that is claimed, unverified: who claims another's name spends nothing of its own. */
  readonly origin: string;
  /** Of these one at a time. */
  readonly isTransaction: boolean;
  readonly bytes: number;
  /** The body is not there yet. */
  readonly isReading: () => boolean;
  /** Nobody waits for the answer any more. */
  readonly isGone: () => boolean;
}

type Leave = () => void;

export class ServerLanes {
  readonly #limits: RateLimits;
  readonly #clock: Clock;
  /** Where a transaction is under way, by address and claimed server: those that wait for its end. */
  readonly #waiting = new Map<string, (() => void)[]>();
  /** Of each address, how many wait for whatever it is. */
  readonly #ofAddress = new Map<string, number>();
  /** Of those that wait for their allowance: what ends it. */
  readonly #sleeping = new Set<() => void>();
  #isClosed = false;

  constructor(limits: RateLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Returns what is to be called once the request is done. Throws M_LIMIT_EXCEEDED. */
  async enter(entering: Entering): Promise<Leave> {
    const leave = entering.isTransaction ? await this.#turn(entering) : () => {};
    try {
      await this.#allowance(entering);
      if (!entering.isTransaction) return leave;
      const cancel = this.#clock.schedule(MAX_READING_MS, () => {
        if (entering.isReading()) leave();
      });
      return () => {
        cancel();
        leave();
      };
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** `ms`: of work. */
  spend(entering: Pick<Entering, 'address' | 'origin'>, ms: number): void {
    this.#limits.spend('federationAddressWork', entering.address, ms);
    this.#limits.spend('federationWork', keyOf(entering), ms);
  }

  /** Whoever waits is sent away. */
  close(): void {
    this.#isClosed = true;
    for (const wake of this.#sleeping) wake();
  }

  async #turn(entering: Entering): Promise<Leave> {
    const key = keyOf(entering);
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) this.#waiting.set(key, []);
    else if (waiting.length >= MAX_WAITING_TRANSACTIONS) throw limitExceeded(AGAIN_MS);
    else {
      this.#checkSpace(entering);
      await this.#wait(entering, new Promise<void>((enter) => waiting.push(enter)));
    }
    let isOver = false;
    return () => {
      if (!isOver) this.#next(key);
      isOver = true;
    };
  }

  #next(key: string): void {
    const next = this.#waiting.get(key)?.shift();
    if (next === undefined) this.#waiting.delete(key);
    else next();
  }

  /** Takes it, as soon as there is one. */
  async #allowance(entering: Entering): Promise<void> {
    for (;;) {
      if (this.#isClosed || entering.isGone()) throw limitExceeded(AGAIN_MS);
      const ms = Math.max(
        this.#limits.wait('federationAddressWork', entering.address),
        this.#limits.wait('federationWork', keyOf(entering)),
      );
      if (ms === 0) break;
      if (ms > MAX_WAIT_MS) throw limitExceeded(ms);
      this.#checkSpace(entering);
      await this.#wait(entering, this.#sleep(ms));
    }
    this.spend(entering, workOf(entering.bytes));
  }

  async #sleep(ms: number): Promise<void> {
    const { promise, resolve: wake } = Promise.withResolvers<void>();
    const cancel = this.#clock.schedule(ms, wake);
    this.#sleeping.add(wake);
    await promise;
    this.#sleeping.delete(wake);
    cancel();
  }

  async #wait({ address }: Entering, end: Promise<void>): Promise<void> {
    const count = this.#ofAddress.get(address) ?? 0;
    this.#ofAddress.set(address, count + 1);
    await end;
    const left = (this.#ofAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#ofAddress.set(address, left);
    else this.#ofAddress.delete(address);
  }

  #checkSpace({ address }: Entering): void {
    if ((this.#ofAddress.get(address) ?? 0) >= MAX_WAITING_OF_ADDRESS)
      throw limitExceeded(AGAIN_MS);
  }
}

function keyOf({ address, origin }: Pick<Entering, 'address' | 'origin'>): string {
  return `${address} ${origin}`;
}

/** In ms; of a body of so many bytes, with as many PDUs as may be in it. */
export function workOf(bytes: number): number {
  return REQUEST_MS + Math.min(bytes / BYTES_OF_PDU, MAX_PDUS) + bytes / BYTES_PER_MS;
}
