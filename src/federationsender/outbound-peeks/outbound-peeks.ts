// Our subscriptions at other servers: begins them for the roomserver, renews them while they are active, and tells the
// servers when they are over. A row says how far each is, so that a restart goes on where it was.

import { randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import { ENTRY_VERSION, type OutboundPeekLost } from '../../eventlog/entries.ts';
import type { EventLog } from '../../eventlog/eventlog.ts';
import type { FederationClient } from '../../federation/api.ts';
import { FederationError } from '../../federation/federation-error.ts';
import { firstSuccess } from '../../federation/first-success.ts';
import type { Logger } from '../../logger.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import { ROOM_VERSIONS } from '../../protocol/roomversions/table.ts';
import type { OutboundPeekKey, PeekApi } from '../peek-api.ts';
import {
  deleteOutboundPeek,
  type OutboundPeekRow,
  selectActiveOutboundPeeks,
  selectActivePeeksThrough,
  selectOutboundPeek,
  selectPeekedServers,
  updateEndingsFailed,
  updatePendingEnded,
  upsertOutboundPeek,
} from '../store/outbound-peeks.ts';
import { DuePeeks } from './due-peeks.ts';
import { Pulse } from './pulse.ts';
import { refusal } from './refusal.ts';
import { deletePeek, dialectOf, postRenew, putPeek } from './requests.ts';

const DEFAULT_INTERVAL_MS = 3_600_000;
/** Of servers that measure it in something else than milliseconds. */
const LONGEST_INTERVAL_MS = 24 * 3_600_000;
/** The next server is asked while the last one still thinks. */
const STAGGER_MS = 10_000;
const FIRST_PAUSE_MS = 15_000;
/** Renewals that fail in a row until the server counts as dead, if its deadline is not over before. */
const MAX_RENEWAL_FAILURES = 4;
/** After that a server that cannot be told of an end is left to find out by itself. */
const MAX_ENDING_FAILURES = 6;
/** Of the time until the next renewal, to either side. */
const JITTER = 0.2;
/** Renewals that fell due while the process was down are spread over this time. */
const SPREAD_MS = 60_000;

export interface OutboundPeekOptions {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly client: Pick<FederationClient, 'request'>;
  /** Resolves once the server has been sent what waits for it of the room, or is not sent to now. */
  readonly delivered: (peek: OutboundPeekKey) => Promise<void>;
  /** From 0 to 1. */
  readonly random: () => number;
}

type BeginRequest = Parameters<PeekApi['performOutboundPeek']>[0];
type BeginAnswer = Awaited<ReturnType<PeekApi['performOutboundPeek']>>;

export class OutboundPeekKeeper {
  readonly #options: OutboundPeekOptions;
  readonly #pulse: Pulse;
  readonly #due: DuePeeks;

  constructor(options: OutboundPeekOptions) {
    this.#options = options;
    this.#pulse = new Pulse({
      ...options,
      servers: () => selectPeekedServers(options.database),
      onGone: (server) => this.#loseThrough(server),
    });
    this.#due = new DuePeeks({ ...options, see: (peek) => this.#see(peek) });
  }

  /** Takes up what there was before a restart. */
  async open(): Promise<void> {
    const { database, clock, random } = this.#options;
    const now = clock.now();
    const active = await selectActiveOutboundPeeks(database);
    const due = active.filter(({ nextTs }) => nextTs < now + SPREAD_MS);
    await database.transact(async (tx) => {
      await updatePendingEnded(tx);
      for (const peek of due) {
        const nextTs = now + Math.floor(random() * SPREAD_MS);
        await upsertOutboundPeek(tx, { ...peek, nextTs });
      }
    });
    this.#due.look();
    if (active.length > 0) this.#pulse.start();
  }

  async close(): Promise<void> {
    await this.#pulse.close();
    await this.#due.close();
  }

  /** Asks no server now whether it is there. */
  get isIdle(): boolean {
    return this.#pulse.isIdle;
  }

  /** A server has sent us something. */
  heard(server: ServerName): void {
    this.#pulse.heard(server);
  }

  /**
   * Asks the next server as soon as the last has refused or takes long. Each gets an id of its own, so that what is told of
   * one look is never taken for another.
   */
  async begin({ roomId, servers, roomVersions }: BeginRequest): Promise<BeginAnswer> {
    const { clock, logger } = this.#options;
    const failures: FederationError[] = [];
    const attempts = servers.map((server) => async (signal: AbortSignal) => {
      const peek = { roomId, server, peekId: randomBytes(6).toString('base64url') };
      try {
        const answer = await this.#put(peek, { roomVersions, signal });
        return { server, peekId: peek.peekId, answer };
      } catch (error) {
        if (error instanceof FederationError) failures.push(error);
        logger.debug({ roomId, server, err: error }, 'a server does not let us look');
        throw error;
      }
    });
    if (attempts.length === 0) throw refusal([]);
    try {
      return await firstSuccess(attempts, { timers: clock, staggerMs: STAGGER_MS });
    } catch (error) {
      throw failures.length > 0 ? refusal(failures) : error;
    }
  }

  async #put(
    peek: OutboundPeekKey,
    request: { readonly roomVersions: readonly string[]; readonly signal: AbortSignal },
  ): Promise<JsonObject> {
    const { database, client, clock, delivered } = this.#options;
    // Or its answer would bring back somebody who has just left.
    await delivered(peek);
    const row: OutboundPeekRow = {
      ...peek,
      status: 'pending',
      dialect: 'msc2444',
      renewalInterval: DEFAULT_INTERVAL_MS,
      deadlineTs: clock.now() + DEFAULT_INTERVAL_MS,
      nextTs: clock.now(),
      failures: 0,
    };
    await database.transact((tx) => upsertOutboundPeek(tx, row));
    try {
      const answer = await putPeek(client, peek, request);
      request.signal.throwIfAborted();
      const renewalInterval = intervalOf(answer.renewal_interval);
      const dialect = dialectOf(answer);
      await database.transact((tx) =>
        upsertOutboundPeek(tx, {
          ...row,
          dialect,
          renewalInterval,
          deadlineTs: clock.now() + renewalInterval,
        }),
      );
      return answer;
    } catch (error) {
      // It may have begun all the same: an answer that does not come is no refusal.
      const isRefused = error instanceof FederationError && error.kind === 'refused';
      if (isRefused) await database.transact((tx) => deleteOutboundPeek(tx, peek));
      else await this.cancel(peek);
      throw error;
    }
  }

  /** The server is told as soon as it can be. */
  async cancel(peek: OutboundPeekKey): Promise<void> {
    await this.#options.database.transact((tx) => this.retired(tx, peek));
  }

  /**
   * The roomserver has stored what came with it. Where a restart came between, it was taken for given up: it may be over,
   * which renewing it at once tells.
   */
  async activated(tx: Transaction, peek: OutboundPeekKey): Promise<void> {
    const row = await selectOutboundPeek(tx, peek);
    if (row === undefined) return this.#lose(tx, peek, 'ended');
    if (row.status === 'active') return;
    const now = this.#options.clock.now();
    const active = this.#renewed(row, row.renewalInterval);
    await this.#putRow(tx, row.status === 'pending' ? active : { ...active, nextTs: now });
    tx.afterCommit(() => this.#pulse.start());
  }

  async retired(tx: Transaction, peek: OutboundPeekKey): Promise<void> {
    const row = await selectOutboundPeek(tx, peek);
    if (row === undefined) return;
    const nextTs = this.#options.clock.now();
    await this.#putRow(tx, { ...row, status: 'ended', nextTs, failures: 0 });
  }

  /** The server says that it has ended them. */
  async expired(
    server: ServerName,
    peeks: readonly { readonly roomId: RoomId; readonly peekId: string }[],
  ): Promise<void> {
    await this.#options.database.transact(async (tx) => {
      for (const { roomId, peekId } of peeks) {
        const row = await selectOutboundPeek(tx, { roomId, server, peekId });
        if (row?.status === 'active') await this.#lose(tx, row, 'ended');
      }
    });
  }

  async #putRow(tx: Transaction, row: OutboundPeekRow): Promise<void> {
    await upsertOutboundPeek(tx, row);
    tx.afterCommit(() => this.#due.armAt(row.nextTs));
  }

  async #lose(
    tx: Transaction,
    { roomId, server, peekId }: OutboundPeekKey,
    reason: OutboundPeekLost['reason'],
  ): Promise<void> {
    // One that cannot be reached may go on sending when it is back: it is told then.
    if (reason === 'unreachable') await this.retired(tx, { roomId, server, peekId });
    else await deleteOutboundPeek(tx, { roomId, server, peekId });
    const entry = { v: ENTRY_VERSION, server, peekId, reason };
    await this.#options.eventLog.append(tx, 'federationsender.output', [{ key: roomId, entry }]);
  }

  #see(peek: OutboundPeekRow): Promise<void> {
    return peek.status === 'ended' ? this.#tellEnd(peek) : this.#renew(peek);
  }

  /** A server of the one dialect takes every DELETE for a PUT, and crashes on repeated ones: it is told nothing. */
  async #tellEnd(peek: OutboundPeekRow): Promise<void> {
    const { database, client, clock } = this.#options;
    const failure =
      peek.dialect === 'dendrite' ? undefined : await failureOf(deletePeek(client, peek));
    const isDone = failure === undefined || failure.kind === 'refused';
    const now = clock.now();
    const times = { now, nextTs: later(peek, now).nextTs, maxFailures: MAX_ENDING_FAILURES };
    await database.transact(async (tx) => {
      if (isDone) await deleteOutboundPeek(tx, peek);
      else await updateEndingsFailed(tx, peek.server, times);
    });
  }

  async #renew(peek: OutboundPeekRow): Promise<void> {
    const { client } = this.#options;
    if (peek.dialect === 'dendrite') {
      return this.#loseIfActive(peek, 'ended');
    }
    try {
      const answer = await (peek.dialect === 'palpo'
        ? putPeek(client, peek, { roomVersions: ROOM_VERSIONS })
        : postRenew(client, peek));
      await this.#change(peek, this.#renewed(peek, intervalOf(answer.renewal_interval)));
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      await this.#renewalFailed(peek, error);
    }
  }

  /** Those that began together are not renewed together for ever. */
  #renewed(peek: OutboundPeekRow, renewalInterval: number): OutboundPeekRow {
    const { clock, random } = this.#options;
    const now = clock.now();
    const pause = (renewalInterval / 2) * (1 - JITTER + 2 * JITTER * random());
    return {
      ...peek,
      status: 'active',
      renewalInterval,
      deadlineTs: now + renewalInterval,
      nextTs: now + Math.floor(pause),
      failures: 0,
    };
  }

  async #renewalFailed(peek: OutboundPeekRow, failure: FederationError): Promise<void> {
    const { clock, logger } = this.#options;
    const { roomId, server } = peek;
    logger.info({ roomId, server, err: failure }, 'a subscription could not be renewed');
    const isOver = failure.status === 403 || failure.status === 404;
    const isDead = peek.failures + 1 >= MAX_RENEWAL_FAILURES || clock.now() >= peek.deadlineTs;
    if (isOver || isDead) {
      return this.#loseIfActive(peek, isOver ? 'ended' : 'unreachable');
    }
    await this.#change(peek, { ...peek, ...later(peek, clock.now()) });
  }

  /** All rooms at once. */
  async #loseThrough(server: ServerName): Promise<void> {
    await this.#options.database.transact(async (tx) => {
      const peeks = await selectActivePeeksThrough(tx, server);
      for (const peek of peeks) await this.#lose(tx, peek, 'unreachable');
    });
  }

  async #loseIfActive(peek: OutboundPeekKey, reason: OutboundPeekLost['reason']): Promise<void> {
    await this.#options.database.transact(async (tx) => {
      const row = await selectOutboundPeek(tx, peek);
      if (row?.status === 'active') await this.#lose(tx, row, reason);
    });
  }

  /** Unless it was ended, or the like, meanwhile. */
  async #change(before: OutboundPeekRow, after: OutboundPeekRow): Promise<void> {
    await this.#options.database.transact(async (tx) => {
      const row = await selectOutboundPeek(tx, before);
      if (row?.status === before.status) await this.#putRow(tx, after);
    });
  }
}

function later({ failures }: OutboundPeekRow, now: number) {
  return { nextTs: now + FIRST_PAUSE_MS * 2 ** failures, failures: failures + 1 };
}

async function failureOf(request: Promise<unknown>): Promise<FederationError | undefined> {
  try {
    await request;
    return undefined;
  } catch (error) {
    if (error instanceof FederationError) return error;
    throw error;
  }
}

function intervalOf(interval: JsonValue | undefined): number {
  if (typeof interval !== 'number' || !(interval > 0)) return DEFAULT_INTERVAL_MS;
  return Math.min(Math.max(Math.floor(interval), 1_000), LONGEST_INTERVAL_MS);
}
