// How much account data a user may have: the first /sync of every device carries all of it.

import type { Transaction } from '../database/database.ts';
import { MatrixError } from '../protocol/error.ts';
import { type AccountDataKey, upsertAccountData } from './store/account-data.ts';

const MAX_BYTES = 16 * 1024 * 1024;

/** Throws M_TOO_LARGE where there is too much; what there is can always be made less. */
export async function writeAccountData(
  tx: Transaction,
  key: AccountDataKey,
  content: string,
): Promise<void> {
  const { total, isMore } = await upsertAccountData(tx, key, content);
  if (isMore && total > MAX_BYTES) {
    throw new MatrixError('M_TOO_LARGE', 'Users have at most 16 MiB of account data');
  }
}
