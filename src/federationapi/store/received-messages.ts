// federationapi_received_messages: which to-device messages of other servers have been handed on.

import type { Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';

export interface ReceivedMessage {
  readonly sender: UserId;
  readonly messageId: string;
  /** ms since the epoch. */
  readonly receivedTs: number;
}

/** False where it is known already. */
export async function insertReceivedMessage(
  tx: Transaction,
  { sender, messageId, receivedTs }: ReceivedMessage,
): Promise<boolean> {
  const written = await tx.run(
    sql`INSERT INTO federationapi_received_messages (sender, message_id, received_ts)
      VALUES (${sender}, ${messageId}, ${receivedTs}) ON CONFLICT DO NOTHING`,
  );
  return written > 0;
}

/** At most `limit` of those that were received before `before`. */
export async function deleteReceivedMessages(
  tx: Transaction,
  before: number,
  limit: number,
): Promise<void> {
  await tx.run(
    sql`DELETE FROM federationapi_received_messages WHERE (sender, message_id) IN (
      SELECT sender, message_id FROM federationapi_received_messages
      WHERE received_ts < ${before} ORDER BY received_ts LIMIT ${limit})`,
  );
}
