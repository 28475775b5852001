// Transactions that are under way: stored before they are sent, so that a crash changes neither their id nor what is in them.

import type { Queryable, Transaction } from '../../database/database.ts';
import { rows, sql } from '../../database/sql.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { ExpiredPeek } from './expired-peeks.ts';

export interface Outgoing {
  readonly txnId: string;
  /** ms since the epoch. */
  readonly originServerTs: number;
  readonly parts: Parts;
  readonly edus: readonly JsonObject[];
  /** How often the destination has refused what is in it. */
  readonly refusals: number;
}

/** The rows that a transaction is made of. */
export interface Parts {
  readonly pdus: readonly number[];
  readonly toDevice: readonly number[];
  readonly expiredPeeks: readonly ExpiredPeek[];
}

export async function insertTransaction(
  tx: Transaction,
  destinationId: number,
  outgoing: Outgoing,
): Promise<void> {
  const data = [
    {
      destination_id: destinationId,
      txn_id: outgoing.txnId,
      origin_server_ts: outgoing.originServerTs,
      parts: JSON.stringify(outgoing.parts),
      edus: JSON.stringify(outgoing.edus),
      refusals: outgoing.refusals,
    },
  ];
  const columns = {
    destination_id: 'bigint',
    txn_id: 'text',
    origin_server_ts: 'bigint',
    parts: 'text',
    edus: 'text',
    refusals: 'bigint',
  } as const;
  await tx.run(sql`
    INSERT INTO federationsender_transactions
      (destination_id, txn_id, origin_server_ts, parts, edus, refusals)
    SELECT destination_id, txn_id, origin_server_ts, parts, edus, refusals
    FROM ${rows(columns, data)}`);
}

export async function selectTransaction(
  database: Queryable,
  destinationId: number,
): Promise<Outgoing | undefined> {
  const found = await database.get<{
    txn_id: string;
    origin_server_ts: number;
    parts: string;
    edus: string;
    refusals: number;
  }>(sql`
    SELECT txn_id, origin_server_ts, parts, edus, refusals
    FROM federationsender_transactions WHERE destination_id = ${destinationId}`);
  return (
    found && {
      txnId: found.txn_id,
      originServerTs: found.origin_server_ts,
      parts: JSON.parse(found.parts) as Parts,
      edus: JSON.parse(found.edus) as JsonObject[],
      refusals: found.refusals,
    }
  );
}

export async function updateRefusals(
  tx: Transaction,
  destinationId: number,
  refusals: number,
): Promise<void> {
  await tx.run(sql`
    UPDATE federationsender_transactions SET refusals = ${refusals}
    WHERE destination_id = ${destinationId}`);
}

export async function deleteTransaction(tx: Transaction, destinationId: number): Promise<void> {
  await tx.run(
    sql`DELETE FROM federationsender_transactions WHERE destination_id = ${destinationId}`,
  );
}
