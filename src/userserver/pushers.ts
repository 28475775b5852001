// Pushers, as clients set them (Client-Server API, `POST /pushers/set`). Nothing is pushed yet.

import { MatrixError } from '../protocol/error.ts';
import { isJsonObject, type JsonObject, parseJsonExactly } from '../protocol/json.ts';
import type { UserserverApi } from './api.ts';
import type { UserserverContext } from './context.ts';
import { lockAccount } from './store/accounts.ts';
import {
  countPushers,
  deletePusher,
  deletePushersOfOthers,
  selectPushers,
  upsertPusher,
} from './store/pushers.ts';

const MAX_PUSHKEY_BYTES = 512;
const MAX_APP_ID_LENGTH = 64;
const MAX_PUSHER_BYTES = 16_384;
const MAX_PUSHERS = 200;
const GATEWAY_PATH = '/_matrix/push/v1/notify';
const REQUIRED = ['app_display_name', 'device_display_name', 'lang', 'data'] as const;
const LISTED = ['pushkey', 'kind', 'app_id', ...REQUIRED, 'profile_tag'] as const;

export function createPushers(
  context: UserserverContext,
): Pick<UserserverApi, 'queryPushers' | 'performSetPusher' | 'performDeletePusher'> {
  return {
    queryPushers: async ({ userId }) => {
      const found = await selectPushers(context.database, userId);
      return found.map((text) => parseJsonExactly(text) as JsonObject);
    },
    performSetPusher: (request) => setPusher(context, request),
    performDeletePusher: async (key) => {
      await context.database.transact((tx) => deletePusher(tx, key));
    },
  };
}

async function setPusher(
  { database }: UserserverContext,
  request: Parameters<UserserverApi['performSetPusher']>[0],
): Promise<void> {
  const { userId, deviceId, pusher } = request;
  const { appId, pushkey } = checkPusher(pusher);
  const stored = JSON.stringify(pick(pusher));
  if (Buffer.byteLength(stored) > MAX_PUSHER_BYTES) {
    throw new MatrixError('M_TOO_LARGE', 'Pushers have at most 16 KiB');
  }
  const key = { userId, appId, pushkey };
  await database.transact(async (tx) => {
    await lockAccount(tx, userId);
    if (pusher.append !== true) await deletePushersOfOthers(tx, key);
    await upsertPusher(tx, key, { deviceId, pusher: stored });
    if ((await countPushers(tx, userId)) > MAX_PUSHERS) {
      throw new MatrixError('M_TOO_LARGE', `There are at most ${MAX_PUSHERS} pushers`);
    }
  });
}

function pick(pusher: JsonObject): JsonObject {
  return Object.fromEntries(LISTED.map((name) => [name, pusher[name]]));
}

function checkPusher(pusher: JsonObject): { appId: string; pushkey: string } {
  const missing = [...REQUIRED, 'app_id', 'pushkey', 'kind'].filter((name) => !pusher[name]);
  if (missing.length > 0) {
    throw new MatrixError('M_MISSING_PARAM', `Missing parameters: ${missing.join(', ')}`);
  }
  const { app_id: appId, pushkey, kind, data } = pusher;
  if (typeof appId !== 'string' || appId.length > MAX_APP_ID_LENGTH) throw invalid('app_id');
  if (typeof pushkey !== 'string' || Buffer.byteLength(pushkey) > MAX_PUSHKEY_BYTES) {
    throw invalid('pushkey');
  }
  if (kind !== 'http') throw invalid('kind');
  if (!isJsonObject(data) || !isGatewayUrl(data.url)) throw invalid('data.url');
  return { appId, pushkey };
}

/** "MUST be an HTTPS URL with a path of `/_matrix/push/v1/notify`". */
function isGatewayUrl(url: unknown): boolean {
  const parsed = typeof url === 'string' ? URL.parse(url) : null;
  return parsed?.protocol === 'https:' && parsed.pathname === GATEWAY_PATH;
}

function invalid(parameter: string): MatrixError {
  return new MatrixError('M_INVALID_PARAM', `${parameter} is not valid`);
}
