// Changes of a user, written together with their entries in `userserver.output`.

import type { Database, Transaction } from '../database/database.ts';
import { ENTRY_VERSION, type UserEntry } from '../eventlog/entries.ts';
import type { EventLog, LogTicket } from '../eventlog/eventlog.ts';
import type { UserId } from '../protocol/identifiers.ts';
import type { Written } from './api.ts';

type WithoutVersion<Entry> = Entry extends unknown ? Omit<Entry, 'v'> : never;

/** An entry of `userserver.output` without its version. */
export type UserChange = WithoutVersion<UserEntry>;

/**
 * Runs `body` as a unit of work that also appends the entries it returns. Resolves, after COMMIT, with the
 * position of the last one, 0 when there is none.
 */
export type WriteChanges = (
  userId: UserId,
  body: (tx: Transaction) => Promise<readonly UserChange[]>,
) => Promise<Written>;

export function createWriteChanges(database: Database, eventLog: EventLog): WriteChanges {
  return async (userId, body) => {
    const ticket = await database.transact(async (tx) => {
      const changes = await body(tx);
      return await appendChanges(tx, eventLog, { userId, changes });
    });
    return { position: ticket === undefined ? 0 : await eventLog.position(ticket) };
  };
}

/** Within a unit of work that is not `WriteChanges`. Undefined when there is nothing to append. */
export async function appendChanges(
  tx: Transaction,
  eventLog: EventLog,
  { userId, changes }: { readonly userId: UserId; readonly changes: readonly UserChange[] },
): Promise<LogTicket | undefined> {
  if (changes.length === 0) return undefined;
  const entries = changes.map((change) => ({
    key: userId,
    entry: { v: ENTRY_VERSION, ...change } as UserEntry,
  }));
  return await eventLog.append(tx, 'userserver.output', entries);
}
