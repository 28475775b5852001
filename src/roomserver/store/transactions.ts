// roomserver_transactions: which event a device's transaction made, for a day or so.

import type { Queryable, Transaction } from '../../database/database.ts';
import { rows, sql } from '../../database/sql.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import type { TransactionKey } from '../api.ts';

export async function selectTransaction(
  from: Queryable,
  key: TransactionKey,
): Promise<EventId | undefined> {
  const row = await from.get<{ event_id: EventId }>(
    sql`SELECT event_id FROM roomserver_transactions
      WHERE user_id = ${key.userId} AND device_id = ${key.deviceId} AND scope = ${key.scope}
        AND transaction_id = ${key.id}`,
  );
  return row?.event_id;
}

export interface SentTransaction {
  readonly key: TransactionKey;
  readonly eventId: EventId;
}

const COLUMNS = {
  id: 'bigint',
  user_id: 'text',
  device_id: 'text',
  scope: 'text',
  transaction_id: 'text',
  event_id: 'text',
} as const;

/** Ids rise with time. */
export class TransactionIds {
  #last: number;

  /** After the greatest id there is: the clock may have been set back. */
  private constructor(last: number) {
    this.#last = last;
  }

  static async open(from: Queryable): Promise<TransactionIds> {
    const row = await from.get<{ last: number | null }>(
      sql`SELECT max(id) AS last FROM roomserver_transactions`,
    );
    return new TransactionIds(row?.last ?? 0);
  }

  /** `now`: ms since the epoch. */
  next(now: number): number {
    this.#last = Math.max(this.#last + 1, now * 1000);
    return this.#last;
  }
}

/** The least id that a transaction sent at that time can have. */
export function transactionIdAt(ms: number): number {
  return ms * 1000;
}

/** Returns how many were new. */
export async function insertTransactions(
  tx: Transaction,
  sent: readonly (SentTransaction & { readonly id: number })[],
): Promise<number> {
  const data = sent.map(({ id, key, eventId }) => ({
    id,
    user_id: key.userId,
    device_id: key.deviceId,
    scope: key.scope,
    transaction_id: key.id,
    event_id: eventId,
  }));
  return tx.run(
    sql`INSERT INTO roomserver_transactions (id, user_id, device_id, scope, transaction_id, event_id)
      SELECT id, user_id, device_id, scope, transaction_id, event_id FROM ${rows(COLUMNS, data)}
      WHERE true ON CONFLICT (transaction_id, device_id, user_id, scope) DO NOTHING`,
  );
}

/** Of those with an id below `until`, deletes up to `limit`. Returns how many there were. */
export function deleteTransactions(tx: Transaction, until: number, limit: number): Promise<number> {
  return tx.run(
    sql`DELETE FROM roomserver_transactions WHERE id IN
      (SELECT id FROM roomserver_transactions WHERE id < ${until} ORDER BY id LIMIT ${limit})`,
  );
}
