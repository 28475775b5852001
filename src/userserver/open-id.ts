// OpenID tokens, with which users prove to others who they are.

import type { UserserverApi } from './api.ts';
import type { UserserverContext } from './context.ts';
import {
  deleteExpiredShortTokens,
  insertShortToken,
  selectShortToken,
} from './store/short-tokens.ts';
import { createToken, hashOfToken } from './tokens.ts';

const LIFETIME_MS = 3_600_000;

export function createOpenId({
  database,
  clock,
}: UserserverContext): Pick<UserserverApi, 'performCreateOpenIdToken' | 'queryOpenIdToken'> {
  return {
    performCreateOpenIdToken: async ({ userId }) => {
      const { token, hash } = createToken('openId');
      const now = clock.now();
      const row = { token_hash: hash, purpose: 'openid', user_id: userId } as const;
      await database.transact(async (tx) => {
        await deleteExpiredShortTokens(tx, userId, now);
        await insertShortToken(tx, { ...row, expires_ts: now + LIFETIME_MS });
      });
      return { accessToken: token, expiresInMs: LIFETIME_MS };
    },
    queryOpenIdToken: async ({ accessToken }) => {
      const row = await selectShortToken(database, hashOfToken(accessToken), 'openid');
      if (row === undefined || row.expires_ts <= clock.now()) return undefined;
      return { userId: row.user_id };
    },
  };
}
