// Sessions of user-interactive authentication. They live in memory: strangers make them, so they must cost no
// disk, and a client whose session is gone just starts again.

import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { MatrixError } from '../protocol/error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import { randomOpaqueId } from '../protocol/opaque-ids.ts';
import type { UiaSession, UserserverApi } from './api.ts';

const LIFETIME_MS = 3_600_000;
const MAX_SESSIONS = 10_000;
/** Of all requests that are remembered, in UTF-16 units. */
const MAX_REQUEST_SIZE = 16 * 1024 * 1024;
/** What a session takes besides its request. */
const BASE_SIZE = 500;

interface StoredSession {
  readonly session: string;
  readonly operation: string;
  readonly userId: UserId | undefined;
  readonly request: JsonObject;
  readonly completed: readonly string[];
  readonly result: JsonObject | undefined;
  /** ms since the epoch. */
  readonly expiresTs: number;
}

export function createUia(
  clock: Clock,
): Pick<
  UserserverApi,
  | 'performCreateUiaSession'
  | 'queryUiaSession'
  | 'performCompleteUiaStage'
  | 'performSetUiaResult'
  | 'performEndUiaSession'
> {
  const sessions = new UiaSessions(clock);
  return {
    performCreateUiaSession: async (request) => ({ session: sessions.create(request) }),
    queryUiaSession: async ({ session, operation, userId }) => {
      const stored = sessions.get(session);
      if (stored.operation !== operation || stored.userId !== userId) {
        throw new MatrixError('M_FORBIDDEN', 'The session was started for another request');
      }
      return toUiaSession(stored);
    },
    performCompleteUiaStage: async ({ session, stage }) => {
      const { completed } = sessions.get(session);
      return toUiaSession(
        sessions.change(session, { completed: [...new Set([...completed, stage])] }),
      );
    },
    performSetUiaResult: async ({ session, result }) => {
      // A password that was asked to be set is of no more use.
      const { password: _, ...request } = sessions.get(session).request;
      sessions.change(session, { result, request });
    },
    performEndUiaSession: async ({ session }) => sessions.end(session),
  };
}

function toUiaSession({ session, completed, request, result }: StoredSession): UiaSession {
  return { session, completed, request, ...(result && { result }) };
}

class UiaSessions {
  readonly #clock: Clock;
  readonly #sessions = new LRUCache<string, StoredSession>({
    max: MAX_SESSIONS,
    maxSize: MAX_REQUEST_SIZE,
    sizeCalculation: ({ request }) => BASE_SIZE + JSON.stringify(request).length,
  });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  create(request: {
    readonly operation: string;
    readonly userId?: UserId;
    readonly request: JsonObject;
  }): string {
    const session = randomOpaqueId(24);
    this.#sessions.set(session, {
      session,
      operation: request.operation,
      userId: request.userId,
      request: request.request,
      completed: [],
      result: undefined,
      expiresTs: this.#clock.now() + LIFETIME_MS,
    });
    return session;
  }

  get(session: string): StoredSession {
    const stored = this.#sessions.get(session);
    if (stored === undefined || stored.expiresTs <= this.#clock.now()) {
      this.#sessions.delete(session);
      throw new MatrixError('M_UNKNOWN', 'The session is unknown or has expired');
    }
    return stored;
  }

  change(session: string, changes: Partial<StoredSession>): StoredSession {
    const changed = { ...this.get(session), ...changes };
    this.#sessions.set(session, changed);
    return changed;
  }

  end(session: string): void {
    this.#sessions.delete(session);
  }
}
