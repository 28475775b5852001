// Making accounts.

import type { Transaction } from '../database/database.ts';
import { MatrixError } from '../protocol/error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import type { Session, UserserverApi } from './api.ts';
import type { UserserverContext } from './context.ts';
import { generatedUserId, userIdFor } from './localparts.ts';
import { type PreparedSession, prepareSession, storeSession } from './new-session.ts';
import { checkProfileValue, profileRow } from './profile-fields.ts';
import { insertAccount, selectAccount } from './store/accounts.ts';
import { upsertProfile } from './store/profiles.ts';

type RegisterRequest = Parameters<UserserverApi['performRegister']>[0];

/** Generated names collide once in 10^11. */
const GENERATED_NAME_ATTEMPTS = 5;

interface NewAccount {
  readonly passwordHash: string | null;
  readonly isGuest: boolean;
  readonly isAdmin: boolean;
  readonly displayname: string | undefined;
  readonly session: PreparedSession | undefined;
}

export function createRegistration(
  context: UserserverContext,
): Pick<UserserverApi, 'queryUsernameAvailable' | 'performRegister'> {
  return {
    queryUsernameAvailable: async ({ localpart }) => {
      await checkFree(context, userIdFor(localpart, context.serverName));
    },
    performRegister: (request) => register(context, request),
  };
}

async function register(
  context: UserserverContext,
  request: RegisterRequest,
): Promise<Session | { readonly userId: UserId }> {
  const isNamed = request.localpart !== undefined && request.isGuest !== true;
  if (isNamed) {
    const userId = userIdFor(request.localpart, context.serverName);
    await checkFree(context, userId);
    const account = await prepareAccount(context, request);
    return (await insert(context, userId, account)) ?? refuseTaken();
  }
  const account = await prepareAccount(context, request);
  for (let attempt = 0; attempt < GENERATED_NAME_ATTEMPTS; attempt++) {
    const made = await insert(context, generatedUserId(context.serverName), account);
    if (made !== undefined) return made;
  }
  return refuseTaken();
}

/** Spares the cost of a password hash; it is the insertion that decides. */
async function checkFree(context: UserserverContext, userId: UserId): Promise<void> {
  if ((await selectAccount(context.database, userId)) !== undefined) refuseTaken();
}

function refuseTaken(): never {
  throw new MatrixError('M_USER_IN_USE', 'User name is already taken');
}

async function prepareAccount(
  context: UserserverContext,
  request: RegisterRequest,
): Promise<NewAccount> {
  const isGuest = request.isGuest ?? false;
  const { displayname, password, device } = request;
  if (displayname !== undefined) checkProfileValue('displayname', displayname);
  const session = request.inhibitLogin ? undefined : prepareSession(context, device);
  const passwordHash =
    password === undefined || isGuest ? null : await hashNewPassword(context, password);
  return { passwordHash, isGuest, isAdmin: request.isAdmin ?? false, displayname, session };
}

export function hashNewPassword(context: UserserverContext, password: string): Promise<string> {
  context.passwords.checkNew(password);
  return context.passwords.hash(password);
}

/** Undefined when the user ID is taken. */
function insert(
  context: UserserverContext,
  userId: UserId,
  account: NewAccount,
): Promise<Session | { readonly userId: UserId } | undefined> {
  return context.database.transact(async (tx) => {
    const row = {
      user_id: userId,
      password_hash: account.passwordHash,
      is_guest: Number(account.isGuest),
      is_admin: Number(account.isAdmin),
      is_deactivated: 0,
      created_ts: context.clock.now(),
    };
    if (!(await insertAccount(tx, row))) return undefined;
    await insertProfile(tx, userId, account.displayname);
    if (account.session === undefined) return { userId };
    return storeSession(context, tx, { userId, prepared: account.session, isNewUser: true });
  });
}

/** Everybody has a profile, so that the user directory finds those too who have not set anything. */
async function insertProfile(
  tx: Transaction,
  userId: UserId,
  displayname: string | undefined,
): Promise<void> {
  await upsertProfile(tx, profileRow(userId, displayname ? { displayname } : {}));
}
