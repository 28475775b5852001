// Sends to all destinations, each in order and with one transaction under way at most. Only those that have something to
// send now are in memory; everything else is asked of the database when its time comes.

import type { Logger } from '../../logger.ts';
import type { Destination } from '../store/destinations.ts';
import { selectDestinationsWithWork, selectReadyDestinations } from '../store/destinations.ts';
import type { SendingContext } from './context.ts';
import { type LaneLimits, Lanes, type Turn } from './lanes.ts';
import { Pace } from './pace.ts';
import { RetryTimer } from './retry-timer.ts';
import { type Outcome, sendNext } from './send-next.ts';
import { Strangers } from './strangers.ts';

/** Destinations looked up at once. */
const MAX_LOADED = 500;
/** A living destination that takes longer, ms, gives its place to others. */
const SLOW_MS = 2_000;
/** After a failure that is not the destination's, ms. */
const PAUSE_MS = 5_000;

interface Active {
  readonly id: number;
  /** Something more to send came while its last transaction was composed. */
  again: boolean;
  /** Resolves when it has been sent to, or not, for this time. */
  readonly attempt: PromiseWithResolvers<void>;
}

export interface DispatcherOptions extends SendingContext {
  readonly limits: LaneLimits;
  /** After an attempt. */
  readonly onFailure: (destination: Destination) => void;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #logger: Logger;
  readonly #lanes: Lanes<Destination>;
  readonly #active = new Map<number, Active>();
  readonly #unloaded = new Set<number>();
  readonly #running = new Set<Promise<void>>();
  readonly #retries: RetryTimer;
  readonly #strangers: Strangers;
  #loading: Promise<void> | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#logger = options.logger;
    const pace = new Pace({ ...options, onReady: () => this.#pump() });
    this.#lanes = new Lanes(options.limits, () => pace.take());
    this.#retries = new RetryTimer(options, (ids) => this.wake(ids));
    this.#strangers = new Strangers({ ...options, onAway: (ids) => this.wake(ids) });
  }

  /** Destinations that are being sent to, or wait for their turn. */
  get size(): number {
    return this.#active.size;
  }

  /** Takes up what was left when the process ended. */
  async start(): Promise<void> {
    let after = 0;
    for (;;) {
      const ids = await selectDestinationsWithWork(this.#options.database, after, MAX_LOADED);
      this.wake(ids);
      if (ids.length < MAX_LOADED) break;
      after = ids.at(-1) ?? after;
    }
    this.#retries.rouse();
  }

  /** They have got something to send. Call it after COMMIT. */
  wake(ids: Iterable<number>): void {
    if (this.#options.signal.aborted) return;
    for (const id of ids) {
      const active = this.#active.get(id);
      if (active !== undefined) {
        active.again = true;
      } else {
        this.#active.set(id, { id, again: false, attempt: Promise.withResolvers() });
        this.#unloaded.add(id);
      }
    }
    if (this.#unloaded.size > 0) this.#loading ??= this.#load();
  }

  /** Resolves after the attempt that is under way or about to be; undefined: the destination is not sent to now. */
  attempted(id: number): Promise<void> | undefined {
    return this.#active.get(id)?.attempt.promise;
  }

  /** Some destination may be tried earlier than it was to be. */
  rouse(): void {
    this.#retries.rouse();
  }

  async close(): Promise<void> {
    this.#retries.close();
    await this.#loading;
    await Promise.all(this.#running);
    await this.#strangers.close();
  }

  async #load(): Promise<void> {
    while (this.#unloaded.size > 0 && !this.#options.signal.aborted) {
      const ids = [...this.#unloaded.values().take(MAX_LOADED)];
      for (const id of ids) this.#unloaded.delete(id);
      try {
        await this.#loadSome(ids);
      } catch (error) {
        this.#logger.warn({ err: error }, 'destinations could not be looked up');
        for (const id of ids) this.#pause(id);
      }
      this.#pump();
    }
    this.#loading = undefined;
  }

  /** Those that are not to be tried yet are let go: their time is written down. */
  async #loadSome(ids: readonly number[]): Promise<void> {
    const { database, clock, outbox } = this.#options;
    const ready = await selectReadyDestinations(database, ids, clock.now());
    const isReady = new Set(ready.map(({ id }) => id));
    for (const id of ids) {
      if (isReady.has(id)) continue;
      this.#release(id);
      outbox.drop(id);
    }
    for (const destination of ready) this.#queue(destination);
  }

  #queue(destination: Destination): void {
    const { id, answered, catchingUp } = destination;
    if (!answered && !catchingUp) this.#strangers.add(id);
    this.#lanes.push(destination.proven ? 'living' : 'doubtful', destination);
  }

  #pump(): void {
    if (this.#options.signal.aborted) return;
    for (let turn = this.#lanes.next(); turn !== undefined; turn = this.#lanes.next()) {
      const running: Promise<void> = this.#run(turn).finally(() => {
        this.#running.delete(running);
        this.#pump();
      });
      this.#running.add(running);
    }
  }

  async #run(turn: Turn<Destination>): Promise<void> {
    const { clock } = this.#options;
    const destination = turn.item;
    const active = this.#active.get(destination.id);
    if (active !== undefined) active.again = false;
    const cancel = clock.schedule(SLOW_MS, () => {
      turn.slow();
      this.#pump();
    });
    try {
      this.#after(destination, await sendNext(this.#options, destination));
    } catch (error) {
      const { server } = destination;
      this.#logger.warn({ server, err: error }, 'sending waits and is tried again');
      this.#pause(destination.id);
    } finally {
      cancel();
      turn.end();
    }
  }

  #after(destination: Destination, outcome: Outcome): void {
    const { id } = destination;
    const done = this.#active.get(id);
    this.#active.delete(id);
    this.#strangers.remove(id);
    // Looked up again, since catching up may have ended.
    if (outcome.kind === 'sent' || (outcome.kind === 'idle' && done?.again)) this.wake([id]);
    done?.attempt.resolve();
    if (outcome.kind !== 'failed') return;
    this.#options.onFailure(destination);
    this.#retries.consider(outcome.retryAt);
  }

  #pause(id: number): void {
    this.#options.clock.schedule(PAUSE_MS, () => {
      this.#release(id);
      this.wake([id]);
    });
  }

  #release(id: number): void {
    this.#active.get(id)?.attempt.resolve();
    this.#active.delete(id);
    this.#strangers.remove(id);
  }
}
