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
  /** ms since the epoch. */
  readonly sentAt: number;
}

const COLUMNS = {
  user_id: 'text',
  device_id: 'text',
  scope: 'text',
  transaction_id: 'text',
  event_id: 'text',
  sent_at: 'bigint',
} as const;

export async function insertTransactions(
  tx: Transaction,
  sent: readonly SentTransaction[],
): Promise<void> {
  const data = sent.map(({ key, eventId, sentAt }) => ({
    user_id: key.userId,
    device_id: key.deviceId,
    scope: key.scope,
    transaction_id: key.id,
    event_id: eventId,
    sent_at: sentAt,
  }));
  await tx.run(
    sql`INSERT INTO roomserver_transactions (user_id, device_id, scope, transaction_id, event_id, sent_at)
      SELECT user_id, device_id, scope, transaction_id, event_id, sent_at FROM ${rows(COLUMNS, data)}
      WHERE true ON CONFLICT DO NOTHING`,
  );
}

/** Deletes those sent before `until`, the oldest first, as far as `sentAt <= through` goes. Returns how many. */
export function deleteTransactions(tx: Transaction, until: number): Promise<number> {
  return tx.run(sql`DELETE FROM roomserver_transactions WHERE sent_at < ${until}`);
}

/** When the `offset`th of the oldest transactions was sent: bounds a chunk of deletions. */
export async function selectTransactionTime(
  from: Queryable,
  offset: number,
): Promise<number | undefined> {
  const row = await from.get<{ sent_at: number }>(
    sql`SELECT sent_at FROM roomserver_transactions ORDER BY sent_at LIMIT 1 OFFSET ${offset}`,
  );
  return row?.sent_at;
}
