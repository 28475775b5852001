// Does what is to be done about our looks when its time has come: of one server one thing at a time, so that those that do not answer
// hold up no other. Renewals come before endings.

import { Alarm } from '../../alarm.ts';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { Logger } from '../../logger.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import {
  type OutboundPeekRow,
  selectDueOutboundPeeks,
  selectNextOutboundPeekTs,
} from '../store/outbound-peeks.ts';

/** Servers that are asked at once. */
const AT_ONCE = 16;
/** Of them, those that are but told of an end. */
const ENDINGS_AT_ONCE = 8;
/** After what fails here, ms. */
const PAUSE_MS = 15_000;

export interface DuePeeksOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Leaves it due at another time, or not at all. */
  readonly see: (peek: OutboundPeekRow) => Promise<void>;
}

interface UnderWay {
  readonly isEnding: boolean;
  readonly done: Promise<void>;
}

export class DuePeeks {
  readonly #options: DuePeeksOptions;
  readonly #underWay = new Map<ServerName, UnderWay>();
  readonly #alarm: Alarm;
  #looking: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: DuePeeksOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => this.look());
  }

  /** Some look is due then; ms since the epoch. */
  armAt(at: number): void {
    this.#alarm.set(at);
  }

  /** Begins what is due, and looks again when the next is. */
  look(): void {
    this.#looking = this.#looking.then(() => this.#look());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#alarm.close();
    await this.#looking;
    await Promise.all([...this.#underWay.values()].map(({ done }) => done));
  }

  async #look(): Promise<void> {
    const { database, clock, logger } = this.#options;
    const limit = AT_ONCE - this.#underWay.size;
    // Who is done looks again.
    if (this.#isClosed || limit === 0) return;
    try {
      // What falls due meanwhile is what is due next.
      const now = clock.now();
      const except = [...this.#underWay.keys()];
      const due = await selectDueOutboundPeeks(database, { now, limit, except });
      if (this.#isClosed) return;
      for (const peek of due) this.#begin(peek);
      // Of what is due already, the next begins when one is done.
      const nextTs = await selectNextOutboundPeekTs(database, now);
      if (nextTs !== undefined) this.armAt(nextTs);
    } catch (error) {
      logger.error({ err: error }, 'subscriptions at other servers could not be kept');
      this.armAt(clock.now() + PAUSE_MS);
    }
  }

  #begin(peek: OutboundPeekRow): void {
    const isEnding = peek.status === 'ended';
    const endings = [...this.#underWay.values()].filter((one) => one.isEnding).length;
    if (isEnding && endings >= ENDINGS_AT_ONCE) return;
    const { clock, logger, see } = this.#options;
    const { roomId, server } = peek;
    const release = () => {
      this.#underWay.delete(server);
      this.look();
    };
    const done = see(peek).then(release, (error) => {
      logger.error({ roomId, server, err: error }, 'a subscription could not be kept');
      clock.schedule(PAUSE_MS, release);
    });
    this.#underWay.set(server, { isEnding, done });
  }
}
