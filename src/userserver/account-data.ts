// Account data, global and per room, with the tags and the ignored users that are kept in it.

import type { Transaction } from '../database/database.ts';
import { MatrixError } from '../protocol/error.ts';
import { isUserId, type UserId } from '../protocol/identifiers.ts';
import { isJsonObject, type JsonObject, parseJsonExactly } from '../protocol/json.ts';
import { writeAccountData } from './account-data-limit.ts';
import type { UserserverApi, Written } from './api.ts';
import type { UserCaches, UserserverContext } from './context.ts';
import { ReadThroughCache } from './read-through-cache.ts';
import {
  type AccountDataKey,
  selectAccountData,
  selectAllAccountData,
} from './store/account-data.ts';
import { lockAccount } from './store/accounts.ts';
import { setTag, TAGS } from './tags.ts';

const IGNORED_USERS = 'm.ignored_user_list';
const FULLY_READ = 'm.fully_read';
const PUSH_RULES = 'm.push_rules';
/** Stands for no room. */
const GLOBAL = '' as const;
const MAX_TYPE_BYTES = 255;
const MAX_REMEMBERED = 10_000;

type AccountDataApi = Pick<
  UserserverApi,
  | 'queryAccountData'
  | 'queryAllAccountData'
  | 'performSetAccountData'
  | 'performSetFullyRead'
  | 'performSetTag'
  | 'queryIgnoredUsers'
>;

export function createAccountData(
  context: UserserverContext,
  queryPushRules: UserserverApi['queryPushRules'],
): { readonly api: AccountDataApi; readonly caches: UserCaches } {
  const ignored = new IgnoredUsers(context);
  const { database } = context;
  const api: AccountDataApi = {
    queryAccountData: async ({ userId, roomId = GLOBAL, type }) => {
      if (type === PUSH_RULES && roomId === GLOBAL) return queryPushRules({ userId });
      const content = await selectAccountData(database, { userId, roomId, type });
      return content === undefined ? undefined : parseContent(content);
    },
    queryAllAccountData: async ({ userId }) => {
      const found = await selectAllAccountData(database, userId);
      const stored = found.map(({ room_id: roomId, type, content }) => ({
        ...(roomId !== GLOBAL && { roomId }),
        type,
        content: parseContent(content),
      }));
      return [{ type: PUSH_RULES, content: await queryPushRules({ userId }) }, ...stored];
    },
    performSetAccountData: async ({ userId, roomId = GLOBAL, type, content }) => {
      checkType(type);
      return set(context, ignored, { key: { userId, roomId, type }, content });
    },
    performSetFullyRead: ({ userId, roomId, eventId }) => {
      const key = { userId, roomId, type: FULLY_READ };
      return set(context, ignored, { key, content: { event_id: eventId } });
    },
    performSetTag: (request) => setTag(context, request),
    queryIgnoredUsers: async ({ userId }) => (await ignored.get(userId)) ?? [],
  };
  return { api, caches: ignored };
}

function parseContent(text: string): JsonObject {
  return parseJsonExactly(text) as JsonObject;
}

function checkType(type: string): void {
  if (type === FULLY_READ || type === PUSH_RULES) {
    throw new MatrixError('M_BAD_JSON', `Cannot set ${type} through this API`);
  }
  if (type === '' || Buffer.byteLength(type) > MAX_TYPE_BYTES) {
    throw new MatrixError('M_INVALID_PARAM', `Types have 1 to ${MAX_TYPE_BYTES} bytes`);
  }
}

function set(
  context: UserserverContext,
  ignored: IgnoredUsers,
  data: { readonly key: AccountDataKey; readonly content: JsonObject },
): Promise<Written> {
  const { userId, roomId, type } = data.key;
  const content = JSON.stringify(data.content);
  return context.write(userId, async (tx) => {
    // Tags are also changed one by one, which reads what is there.
    if (type === TAGS) await lockAccount(tx, userId);
    await writeAccountData(tx, data.key, content);
    if (type === IGNORED_USERS && roomId === GLOBAL) ignored.forgetAfterCommit(tx, userId);
    return [{ kind: 'AccountDataChanged', type, ...(roomId !== GLOBAL && { roomId }) }];
  });
}

class IgnoredUsers implements UserCaches {
  readonly #lists: ReadThroughCache<UserId, readonly UserId[]>;

  constructor({ database }: UserserverContext) {
    this.#lists = new ReadThroughCache<UserId, readonly UserId[]>(
      MAX_REMEMBERED,
      async (userId) => {
        const key = { userId, roomId: GLOBAL, type: IGNORED_USERS };
        const content = await selectAccountData(database, key);
        return content === undefined ? [] : ignoredUsersOf(parseContent(content));
      },
    );
  }

  get(userId: UserId): Promise<readonly UserId[] | undefined> {
    return this.#lists.get(userId);
  }

  /** Also when the unit fails: it may have been committed all the same. */
  forgetAfterCommit(tx: Transaction, userId: UserId): void {
    const forget = () => this.#lists.forget(userId);
    tx.afterCommit(forget);
    tx.afterRollback(forget);
  }
}

/** Clients write the list as they like; what is no user ID is nobody. */
function ignoredUsersOf({ ignored_users: list }: JsonObject): UserId[] {
  return isJsonObject(list) ? Object.keys(list).filter(isUserId) : [];
}
