// Whether the servers through which we look are there. Of one that is silent nothing arrives, as of a room in which nothing
// happens: so who has not been heard of for a while is asked for a sign of life, once for all rooms.

import type { Clock } from '../../clock.ts';
import type { FederationClient } from '../../federation/api.ts';
import { FederationError } from '../../federation/federation-error.ts';
import type { Logger } from '../../logger.ts';
import type { ServerName } from '../../protocol/identifiers.ts';

/** ms without a word. */
const SILENCE_MS = 60_000;
/** After a question that was not answered, ms. */
const AGAIN_MS = 15_000;
const TIMEOUT_MS = 10_000;
/** Questions in a row without an answer until the server counts as gone. */
const MAX_UNANSWERED = 3;

export interface PulseOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly client: Pick<FederationClient, 'request'>;
  /** Through which we look now. */
  readonly servers: () => Promise<readonly ServerName[]>;
  readonly onGone: (server: ServerName) => Promise<void>;
}

interface Sign {
  /** ms since the epoch. */
  readonly askAt: number;
  readonly unanswered: number;
}

export class Pulse {
  readonly #options: PulseOptions;
  /** Of the servers through which we look. */
  #signs = new Map<ServerName, Sign>();
  #cancel: (() => void) | undefined;
  #work: Promise<void> = Promise.resolve();
  #isLooking = false;
  #isClosed = false;

  constructor(options: PulseOptions) {
    this.#options = options;
  }

  /** There are, or may be, servers to be watched. */
  start(): void {
    if (this.#cancel === undefined) this.#arm(SILENCE_MS);
  }

  heard(server: ServerName): void {
    if (!this.#signs.has(server)) return;
    const askAt = this.#options.clock.now() + SILENCE_MS;
    this.#signs.set(server, { askAt, unanswered: 0 });
  }

  get isIdle(): boolean {
    return !this.#isLooking;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#work;
  }

  #arm(delayMs: number): void {
    if (this.#isClosed) return;
    // One may have been started while it looked.
    this.#cancel?.();
    this.#cancel = this.#options.clock.schedule(delayMs, () => {
      this.#cancel = undefined;
      this.#isLooking = true;
      this.#work = this.#work.then(() => this.#look());
    });
  }

  async #look(): Promise<void> {
    await this.#askThose();
    this.#isLooking = false;
    if (this.#signs.size === 0) return;
    const next = Math.min(...[...this.#signs.values()].map(({ askAt }) => askAt));
    this.#arm(Math.max(next - this.#options.clock.now(), 1_000));
  }

  async #askThose(): Promise<void> {
    const { clock, logger } = this.#options;
    try {
      this.#watchThose(await this.#options.servers());
      const now = clock.now();
      const due = [...this.#signs].filter(([, { askAt }]) => askAt <= now);
      await Promise.all(due.map(([server]) => this.#ask(server)));
    } catch (error) {
      logger.error({ err: error }, 'servers through which we look could not be watched');
    }
  }

  #watchThose(servers: readonly ServerName[]): void {
    const known = this.#signs;
    const askAt = this.#options.clock.now();
    const unheard = { askAt, unanswered: 0 };
    this.#signs = new Map(servers.map((server) => [server, known.get(server) ?? unheard]));
  }

  async #ask(server: ServerName): Promise<void> {
    const { client, clock, logger, onGone } = this.#options;
    try {
      const path = '/_matrix/federation/v1/version';
      const request = { destination: server, method: 'GET', path, signed: false } as const;
      await client.request({ ...request, timeoutMs: TIMEOUT_MS });
      this.heard(server);
    } catch (error) {
      if (!isSilence(error)) return this.heard(server);
      const unanswered = (this.#signs.get(server)?.unanswered ?? 0) + 1;
      logger.info({ server, unanswered, err: error }, 'a server through which we look is silent');
      this.#signs.set(server, { askAt: clock.now() + AGAIN_MS, unanswered });
      if (unanswered < MAX_UNANSWERED) return;
      this.#signs.delete(server);
      await onGone(server);
    }
  }
}

/** Also where it is a proxy that says so. */
function isSilence(error: unknown): boolean {
  if (!(error instanceof FederationError)) throw error;
  return error.kind === 'unreachable' || (error.status ?? 0) >= 500;
}
