// Proving who one is, and getting a session for it.

import { MatrixError } from '../protocol/error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import type { Session, UserserverApi } from './api.ts';
import type { UserserverContext } from './context.ts';
import { prepareSession, storeSession } from './new-session.ts';
import { type AccountRow, lockAccount, selectAccount } from './store/accounts.ts';
import {
  deleteExpiredShortTokens,
  deleteShortToken,
  insertShortToken,
} from './store/short-tokens.ts';
import { createToken, hashOfToken } from './tokens.ts';

/** As the specification recommends. */
const LOGIN_TOKEN_LIFETIME_MS = 120_000;

export function createLogin(
  context: UserserverContext,
): Pick<
  UserserverApi,
  'performPasswordLogin' | 'performTokenLogin' | 'performCreateLoginToken' | 'checkPassword'
> {
  return {
    performPasswordLogin: (request) => loginWithPassword(context, request),
    performTokenLogin: (request) => loginWithToken(context, request),
    performCreateLoginToken: ({ userId }) => createLoginToken(context, userId),
    checkPassword: async ({ userId, password }) => {
      await provePassword(context, userId, password);
    },
  };
}

/** Throws M_FORBIDDEN, in one way and at one cost for unknown users and wrong passwords, or M_USER_DEACTIVATED. */
async function provePassword(
  context: UserserverContext,
  userId: UserId,
  password: string,
): Promise<AccountRow> {
  const account = await selectAccount(context.database, userId);
  const stored = account?.password_hash ?? undefined;
  const isRight = await context.passwords.isRight(password, stored);
  if (account?.is_deactivated === 1) throw deactivated();
  if (account === undefined || !isRight) throw wrongPassword();
  return account;
}

function wrongPassword(): MatrixError {
  return new MatrixError('M_FORBIDDEN', 'Wrong user name or password');
}

function deactivated(): MatrixError {
  return new MatrixError('M_USER_DEACTIVATED', 'This account has been deactivated');
}

async function loginWithPassword(
  context: UserserverContext,
  request: Parameters<UserserverApi['performPasswordLogin']>[0],
): Promise<Session> {
  const { userId, password, device } = request;
  const prepared = prepareSession(context, device);
  const proven = await provePassword(context, userId, password);
  return context.database.transact(async (tx) => {
    const account = await lockAccount(tx, userId);
    // The password may have been changed while it was being checked.
    if (account?.is_deactivated === 1) throw deactivated();
    if (account?.password_hash !== proven.password_hash) throw wrongPassword();
    return storeSession(context, tx, { userId, prepared });
  });
}

async function loginWithToken(
  context: UserserverContext,
  request: Parameters<UserserverApi['performTokenLogin']>[0],
): Promise<Session> {
  const prepared = prepareSession(context, request.device);
  const tokenHash = hashOfToken(request.loginToken);
  return context.database.transact(async (tx) => {
    const token = await deleteShortToken(tx, tokenHash, 'login');
    if (token === undefined || token.expires_ts <= context.clock.now()) {
      throw new MatrixError('M_FORBIDDEN', 'Login token is unknown, used or expired');
    }
    const account = await lockAccount(tx, token.user_id);
    if (account?.is_deactivated !== 0) throw deactivated();
    return storeSession(context, tx, { userId: token.user_id, prepared });
  });
}

async function createLoginToken(
  context: UserserverContext,
  userId: UserId,
): Promise<{ loginToken: string; expiresInMs: number }> {
  const { token, hash } = createToken('login');
  await context.database.transact(async (tx) => {
    const now = context.clock.now();
    await deleteExpiredShortTokens(tx, userId, now);
    const expiresTs = now + LOGIN_TOKEN_LIFETIME_MS;
    await insertShortToken(tx, {
      token_hash: hash,
      purpose: 'login',
      user_id: userId,
      expires_ts: expiresTs,
    });
  });
  return { loginToken: token, expiresInMs: LOGIN_TOKEN_LIFETIME_MS };
}
