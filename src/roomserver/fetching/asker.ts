// Asks other servers of a room, one after the other and not for ever, and takes nothing of their answers for granted.

import { ConcurrencyLimit } from '../../concurrency-limit.ts';
import type { FederationClient, FederationRequest } from '../../federation/api.ts';
import { FederationError } from '../../federation/federation-error.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { RoomserverContext } from '../context.ts';
import { selectJoinedHosts } from '../store/memberships.ts';

/** Besides the server that the events came from. */
const MAX_OTHERS = 4;
/** Of whom those are chosen, the largest first. */
const MAX_HOSTS = 20;
/** A server that was silent twice is passed over for a while, and ever longer, ms. */
const FIRST_SILENCE_MS = 5_000;
const LAST_SILENCE_MS = 60_000;
const MAX_SILENT = 10_000;
const REQUEST_MS = 15_000;
/** Who fails sooner than this, ms, is asked once more: a connection that breaks is not a server that is away. */
const QUICK_MS = 2_000;

type Context = Pick<RoomserverContext, 'database' | 'clock' | 'logger' | 'serverName'>;

export type Question = Omit<FederationRequest, 'destination' | 'signal' | 'timeoutMs'>;

/** What is left of the time that something may take. */
export class Deadline {
  readonly #clock: Context['clock'];
  readonly #end: number;

  constructor(clock: Context['clock'], ms: number) {
    this.#clock = clock;
    this.#end = clock.now() + ms;
  }

  get leftMs(): number {
    return Math.max(this.#end - this.#clock.now(), 0);
  }
}

export interface Choice {
  readonly servers: ServerName[];
  readonly isPassingOver: boolean;
}

export interface Attempt {
  readonly answer?: JsonObject;
  /** Asked again, the server would say the same. */
  readonly isRefused: boolean;
}

const NOTHING: Attempt = { isRefused: false };

/** Answers of tens of megabytes. */
const LARGE = { running: 1, waiting: 50 };

export class Asker {
  readonly #large = new ConcurrencyLimit(LARGE);
  readonly #contextOf: () => Context;
  readonly #client: Pick<FederationClient, 'request'>;
  readonly #lastSilenceMs: number;
  readonly #closing = new AbortController();
  /** Servers that were silent when they were asked last: how often, and until when they are passed over. */
  readonly #silent = new Map<ServerName, { readonly times: number; readonly until: number }>();

  /** `lastSilenceMs`: longest for which a silent server is passed over. */
  constructor(
    contextOf: () => Context,
    client: Pick<FederationClient, 'request'>,
    { lastSilenceMs = LAST_SILENCE_MS } = {},
  ) {
    this.#contextOf = contextOf;
    this.#client = client;
    this.#lastSilenceMs = lastSilenceMs;
  }

  /** For what takes much memory; undefined where too many wait for their turn. */
  async oneAtATime<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await this.#large.run(work);
    } catch (error) {
      if (error instanceof MatrixError && error.errcode === 'M_LIMIT_EXCEEDED') return undefined;
      throw error;
    }
  }

  /** Ends what is under way. */
  close(): void {
    this.#closing.abort();
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** `endsAt`: in ms since the epoch, where it is to be no later than that. */
  deadline(ms: number, endsAt = Number.POSITIVE_INFINITY): Deadline {
    const { clock } = this.#contextOf();
    return new Deadline(clock, Math.min(ms, endsAt - clock.now()));
  }

  /** Those that may know of the room, the given one first. */
  async servers(roomId: RoomId, first?: ServerName): Promise<ServerName[]> {
    return (await this.choose(roomId, first)).servers;
  }

  /** As `servers`; and whether others may know of the room that are passed over. */
  async choose(roomId: RoomId, first?: ServerName): Promise<Choice> {
    const { database, serverName } = this.#contextOf();
    const hosts = await selectJoinedHosts(database, roomId, MAX_HOSTS);
    const others = hosts.filter((host) => host !== serverName && host !== first);
    const all = first === undefined || first === serverName ? others : [first, ...others];
    const servers = all.filter((server) => !this.isPassedOver(server));
    const isPassingOver = servers.length < all.length;
    return { servers: servers.slice(0, MAX_OTHERS + 1), isPassingOver };
  }

  /** It was silent just now. */
  isPassedOver(server: ServerName): boolean {
    return (this.#silent.get(server)?.until ?? 0) > this.#contextOf().clock.now();
  }

  /** Undefined when there is no answer that could be used. Never throws. */
  async ask(
    server: ServerName,
    question: Question,
    deadline: Deadline,
  ): Promise<JsonObject | undefined> {
    return (await this.attempt(server, question, deadline)).answer;
  }

  /** As `ask`, and what became of it otherwise. */
  async attempt(server: ServerName, question: Question, deadline: Deadline): Promise<Attempt> {
    if (deadline.leftMs === 0 || this.isClosed) return NOTHING;
    try {
      return { answer: await this.request(server, question, deadline), isRefused: false };
    } catch (error) {
      const { logger } = this.#contextOf();
      logger.debug({ server, path: question.path, err: error }, 'a server has not helped');
      return { isRefused: error instanceof FederationError && isRefusal(error) };
    }
  }

  /** Throws FederationError. */
  async request(server: ServerName, question: Question, deadline: Deadline): Promise<JsonObject> {
    try {
      const answer = await this.#exchange(server, question, deadline);
      // With one that takes all the time there is, nothing is gained the next time either.
      if (deadline.leftMs === 0) this.#note(server);
      else this.#silent.delete(server);
      return answer;
    } catch (error) {
      if (error instanceof FederationError && error.kind === 'unreachable') this.#note(server);
      throw error;
    }
  }

  async #exchange(server: ServerName, question: Question, deadline: Deadline): Promise<JsonObject> {
    const { signal } = this.#closing;
    const { leftMs } = deadline;
    const ask = () => {
      const timeoutMs = Math.min(deadline.leftMs, REQUEST_MS);
      return this.#client.request({ ...question, destination: server, timeoutMs, signal });
    };
    try {
      return await ask();
    } catch (error) {
      const isQuick = deadline.leftMs > 0 && leftMs - deadline.leftMs < QUICK_MS;
      if (!isQuick || this.isClosed || !mayPass(error)) throw error;
      return await ask();
    }
  }

  #note(server: ServerName): void {
    if (this.isClosed) return;
    if (this.#silent.size >= MAX_SILENT) this.#silent.clear();
    const times = (this.#silent.get(server)?.times ?? 0) + 1;
    // Once may be a connection that broke.
    const pause = times === 1 ? 0 : FIRST_SILENCE_MS * 2 ** Math.min(times - 2, 10);
    const until = this.#contextOf().clock.now() + Math.min(pause, this.#lastSilenceMs);
    this.#silent.set(server, { times, until });
  }
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof FederationError)) return false;
  const { kind, status = 0 } = error;
  return kind === 'unreachable' || kind === 'malformed' || status >= 500;
}

function isRefusal({ kind, status = 0, errcode }: FederationError): boolean {
  const isLimit = status === 429 || errcode === 'M_LIMIT_EXCEEDED';
  return kind === 'refused' && status < 500 && !isLimit;
}
