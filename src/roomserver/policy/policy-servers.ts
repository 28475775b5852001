// Asks the policy servers of rooms to sign events (Server-Server API, "Asking for a Policy Server signature on an event").
// Each for a bounded time, few at once of one server, and for a while not at all when it does not answer.

import { ConcurrencyLimit } from '../../concurrency-limit.ts';
import type { FederationClient } from '../../federation/api.ts';
import { FederationError } from '../../federation/federation-error.ts';
import { type Errcode, GatewayError, MatrixError } from '../../protocol/error.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { withPolicySignature } from '../../protocol/policy-server.ts';
import type { RoomserverContext } from '../context.ts';
import { Asker, type Deadline } from '../fetching/asker.ts';
import { type PolicyAnswer, type PolicyQuestion, PolicyRefusal } from './signature-needed.ts';

/** For one signature; of an event of ours, the waiting for its turn included. */
const MAX_WAIT_MS = 10_000;
/** Longest for which one that does not answer is not asked, ms: nobody can send meanwhile. */
const LAST_SILENCE_MS = 10_000;
/** Of one policy server, which has other things to be asked at the same time: of events of ours, and of those that have come. */
const OURS_AT_ONCE = { running: 4, waiting: 50 };
/** As many wait as rooms are received: not for being many are they to be refused. */
const OTHERS_AT_ONCE = { running: 2, waiting: Number.POSITIVE_INFINITY };
/** Where a policy server says no more than that it has too much to do. */
const PAUSE_MS = 1_000;
/** A signature takes some hundred bytes. */
const MAX_BYTES = 65_536;

/** What is passed on to a client as it is; others, such as M_UNKNOWN_TOKEN, would tell it of its own session. */
const OF_THE_EVENT: ReadonlySet<string> = new Set([
  'M_BAD_JSON',
  'M_FORBIDDEN',
  'M_LIMIT_EXCEEDED',
  'M_NOT_FOUND',
  'M_NOT_JSON',
  'M_TOO_LARGE',
  'M_UNRECOGNIZED',
]);

const QUESTION = {
  method: 'POST',
  path: '/_matrix/policy/v1/sign',
  maxBytes: MAX_BYTES,
  mayBeOurselves: true,
} as const;

interface Turns {
  readonly limit: ConcurrencyLimit;
  users: number;
}

export class PolicyServers {
  readonly #contextOf: () => RoomserverContext;
  readonly #asker: Asker | undefined;
  readonly #ours = new Map<ServerName, Turns>();
  readonly #others = new Map<ServerName, Turns>();
  /** How to end the pauses that are being made. */
  readonly #pauses = new Set<() => void>();

  /** `client`: undefined where no other server can be asked. */
  constructor(
    contextOf: () => RoomserverContext,
    client: Pick<FederationClient, 'request'> | undefined,
  ) {
    this.#contextOf = contextOf;
    // One of its own: who signs late may be quick to answer all else.
    this.#asker = client && new Asker(contextOf, client, { lastSilenceMs: LAST_SILENCE_MS });
  }

  /** Ends what is under way. */
  close(): void {
    this.#asker?.close();
    for (const end of this.#pauses) end();
  }

  /** Throws only when the server is being closed. */
  async ask(question: PolicyQuestion): Promise<PolicyAnswer> {
    return { ...question, outcome: await this.#outcome(question) };
  }

  async #outcome(question: PolicyQuestion): Promise<Pdu | MatrixError> {
    const { pdu, policyServer } = question;
    try {
      const answer = await this.#answer(question);
      return withPolicySignature(pdu, policyServer, answer) ?? unsigned();
    } catch (error) {
      if (this.#asker?.isClosed) throw error;
      const { eventId, roomId } = pdu;
      const { name: server } = policyServer;
      const { logger } = this.#contextOf();
      logger.info({ eventId, roomId, server, err: error }, 'a policy server has not signed');
      return refusalFrom(error);
    }
  }

  /** Who waits for an event of her own is told soon to come again; one that has come already has time. */
  async #answer({ pdu, policyServer: { name }, event }: PolicyQuestion): Promise<JsonObject> {
    const asker = this.#asker;
    if (asker === undefined) throw unreachable();
    const isOurs = event !== undefined;
    const sinceAsked = asker.deadline(MAX_WAIT_MS);
    return this.#inTurn(name, isOurs, () => {
      const deadline = isOurs ? sinceAsked : asker.deadline(MAX_WAIT_MS);
      if (asker.isPassedOver(name) || deadline.leftMs === 0) throw unreachable();
      const ask = () => asker.request(name, { ...QUESTION, body: pdu.json }, deadline);
      return isOurs ? ask() : this.#patiently(ask, deadline);
    });
  }

  async #inTurn<T>(name: ServerName, isOurs: boolean, work: () => Promise<T>): Promise<T> {
    const all = isOurs ? this.#ours : this.#others;
    const limit = isOurs ? OURS_AT_ONCE : OTHERS_AT_ONCE;
    const turns = all.get(name) ?? { limit: new ConcurrencyLimit(limit), users: 0 };
    all.set(name, turns);
    turns.users++;
    try {
      return await turns.limit.run(work);
    } finally {
      turns.users--;
      if (turns.users === 0) all.delete(name);
    }
  }

  /** As often as there is time for when the server has too much to do. */
  async #patiently<T>(ask: () => Promise<T>, deadline: Deadline): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        const pause = pauseOf(error);
        const isLast = pause === undefined || pause >= deadline.leftMs;
        if (isLast || this.#asker?.isClosed) throw error;
        await this.#pass(pause);
      }
    }
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#pauses.delete(end);
        resolve();
      };
      const cancel = this.#contextOf().clock.schedule(ms, end);
      this.#pauses.add(end);
    });
  }
}

/** Undefined where it is not for want of time that it was refused. */
function pauseOf(error: unknown): number | undefined {
  if (!(error instanceof FederationError)) return undefined;
  const { status, errcode, retryAfterMs } = error;
  const isLimited = status === 429 || errcode === 'M_LIMIT_EXCEEDED';
  return isLimited ? Math.max(retryAfterMs ?? PAUSE_MS, 1) : undefined;
}

/** What the client is told. */
function refusalFrom(error: unknown): MatrixError {
  if (error instanceof MatrixError) return error;
  if (!(error instanceof FederationError)) throw error;
  const { errcode, answer = {} } = error;
  if (errcode === undefined) return unreachable();
  const { errcode: _, error: text, soft_logout: __, ...extra } = answer;
  const message =
    typeof text === 'string' ? text : 'The policy server of the room refuses the event';
  const isSayable = OF_THE_EVENT.has(errcode) || !errcode.startsWith('M_');
  return isSayable
    ? new PolicyRefusal(errcode as Errcode, message, extra)
    : new PolicyRefusal('M_FORBIDDEN', message);
}

function unreachable(): MatrixError {
  return new GatewayError('M_UNKNOWN', 'The policy server of the room does not answer');
}

function unsigned(): MatrixError {
  return new GatewayError('M_UNKNOWN', 'The policy server of the room has not signed the event');
}
