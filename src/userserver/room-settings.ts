// What a user has set for a room, given to the room that replaces it: tags, that it is a direct chat, push rules. What is set
// there already stays.

import type { Transaction } from '../database/database.ts';
import { MatrixError } from '../protocol/error.ts';
import type { RoomId, UserId } from '../protocol/identifiers.ts';
import { isJsonObject, type JsonObject, parseJsonExactly } from '../protocol/json.ts';
import { writeAccountData } from './account-data-limit.ts';
import type { UserserverApi, Written } from './api.ts';
import type { UserserverContext } from './context.ts';
import type { UserChange } from './output.ts';
import type { PushRules } from './push-rules.ts';
import { selectAccountData } from './store/account-data.ts';
import { lockAccount } from './store/accounts.ts';
import { TAGS } from './tags.ts';

const DIRECT = 'm.direct';
const GLOBAL = '' as const;

type CopyRequest = Parameters<UserserverApi['performCopyRoomSettings']>[0];

export function createRoomSettings(
  context: UserserverContext,
  pushRules: PushRules,
): Pick<UserserverApi, 'performCopyRoomSettings'> {
  return {
    performCopyRoomSettings: async (request) => {
      try {
        return await copySettings(context, pushRules, request);
      } catch (error) {
        // Whoever has too much to keep any more goes without.
        if (error instanceof MatrixError && error.errcode === 'M_TOO_LARGE') return { position: 0 };
        throw error;
      }
    },
  };
}

function copySettings(
  context: UserserverContext,
  pushRules: PushRules,
  request: CopyRequest,
): Promise<Written> {
  const { userId, from, to } = request;
  return context.write(userId, async (tx) => {
    await lockAccount(tx, userId);
    const changes = [await copyTags(tx, request), await copyDirect(tx, request)];
    const isRuled = await pushRules.copyWithin(tx, userId, { from, to });
    const written = changes.filter((change) => change !== undefined);
    return isRuled ? [...written, { kind: 'PushRulesChanged' }] : written;
  });
}

async function copyTags(
  tx: Transaction,
  { userId, from, to }: CopyRequest,
): Promise<UserChange | undefined> {
  const tags = await selectAccountData(tx, { userId, roomId: from, type: TAGS });
  const key = { userId, roomId: to, type: TAGS };
  if (tags === undefined || (await selectAccountData(tx, key)) !== undefined) return undefined;
  await writeAccountData(tx, key, tags);
  return { kind: 'AccountDataChanged', roomId: to, type: TAGS };
}

async function copyDirect(
  tx: Transaction,
  { userId, from, to }: CopyRequest,
): Promise<UserChange | undefined> {
  const key = { userId, roomId: GLOBAL, type: DIRECT };
  const text = await selectAccountData(tx, key);
  const before = text === undefined ? {} : (parseJsonExactly(text) as JsonObject);
  const after = withReplacement(before, from, to);
  if (after === undefined) return undefined;
  await writeAccountData(tx, key, JSON.stringify(after));
  return { kind: 'AccountDataChanged', type: DIRECT };
}

/** Undefined where nothing changes. Clients write it as they like: what has another shape stays. */
function withReplacement(direct: JsonObject, from: RoomId, to: RoomId): JsonObject | undefined {
  if (!isJsonObject(direct)) return undefined;
  const changed = Object.entries(direct).flatMap(
    ([userId, rooms]): [UserId, JsonObject[string]][] => {
      if (!Array.isArray(rooms) || !rooms.includes(from) || rooms.includes(to)) return [];
      return [[userId as UserId, [...rooms, to]]];
    },
  );
  return changed.length === 0 ? undefined : { ...direct, ...Object.fromEntries(changed) };
}
