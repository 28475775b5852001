// Keys of users of other servers: from lists that are followed, else from their servers.

import { type ServerName, serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { UserserverContext } from '../context.ts';
import { updateListsStale } from '../store/remote-device-lists.ts';
import type { WantedKeys } from './keys-api.ts';
import { checkedKeys } from './remote-keys-check.ts';
import { knownLists, type RemoteLists } from './remote-lists.ts';
import type { RemoteUserKeys } from './remote-user-keys.ts';
import { type Asking, askServers, failureOf } from './servers.ts';
import { onlyDevices, type VisibleKeys } from './visible-keys.ts';

/** Lists that are fetched for one request; of further users only the keys are asked for. */
const MAX_FETCHED = 20;

export interface RemoteQuery {
  /** By server. */
  readonly wanted: ReadonlyMap<ServerName, WantedKeys>;
  /** Of the users, those of whose changes their servers tell. */
  readonly followed: readonly UserId[];
  readonly timeoutMs: number;
}

export interface RemoteSource {
  readonly remote: RemoteUserKeys;
  readonly lists: RemoteLists;
}

export interface RemoteAnswer {
  readonly keys: ReadonlyMap<UserId, VisibleKeys>;
  readonly failures: JsonObject;
}

export async function queryRemote(
  context: UserserverContext,
  { remote, lists }: RemoteSource,
  { wanted, followed, timeoutMs }: RemoteQuery,
): Promise<RemoteAnswer> {
  if (wanted.size === 0) return { keys: new Map(), failures: {} };
  const asked: WantedKeys = Object.assign({}, ...wanted.values());
  const userIds = Object.keys(asked) as UserId[];
  const isFollowed = new Set(followed);
  const unfollowed = userIds.filter((userId) => !isFollowed.has(userId));
  await forgetUnfollowed(context, unfollowed);
  const known = await knownLists(
    context,
    userIds.filter((userId) => isFollowed.has(userId)),
  );
  const left = userIds.filter((userId) => !known.has(userId));
  const fetching = left.filter((userId) => isFollowed.has(userId)).slice(0, MAX_FETCHED);
  const others = onlyUsers(wanted, (userId) => !known.has(userId) && !fetching.includes(userId));
  const [fetched, queried] = await Promise.all([
    fetchAll(lists, { userIds: fetching, timeoutMs }),
    queryAll(remote, { asked: others, timeoutMs, clock: context.clock }),
  ]);
  const found = [...known, ...fetched.keys].map(
    ([userId, keys]) => [userId, onlyDevices(keys, asked[userId])] as const,
  );
  return {
    keys: new Map([...found, ...queried.keys]),
    failures: { ...queried.failures, ...fetched.failures },
  };
}

/** Nobody tells of their changes any more. */
async function forgetUnfollowed(
  { database }: UserserverContext,
  unfollowed: readonly UserId[],
): Promise<void> {
  if (unfollowed.length === 0) return;
  await database.transact((tx) => updateListsStale(tx, unfollowed));
}

async function fetchAll(
  lists: RemoteLists,
  { userIds, timeoutMs }: { readonly userIds: readonly UserId[]; readonly timeoutMs: number },
): Promise<RemoteAnswer> {
  const settled = await Promise.allSettled(
    userIds.map((userId) => lists.fetch({ userId, timeoutMs })),
  );
  const keys = new Map<UserId, VisibleKeys>();
  const failures: Record<string, JsonObject> = {};
  settled.forEach((result, index) => {
    const userId = userIds[index] as UserId;
    if (result.status === 'fulfilled') keys.set(userId, result.value);
    else failures[serverNameOf(userId)] = failureOf(result.reason);
  });
  return { keys, failures };
}

async function queryAll(remote: RemoteUserKeys, asking: Asking<WantedKeys>): Promise<RemoteAnswer> {
  const { answers, failures } = await askServers(asking, (server, asked, timeoutMs) =>
    remote.query({ server, wanted: asked, timeoutMs }),
  );
  const keys = new Map<UserId, VisibleKeys>();
  for (const { server, body } of answers) {
    for (const [userId, found] of checkedKeys(body, asking.asked.get(server) ?? {})) {
      keys.set(userId, found);
    }
  }
  return { keys, failures };
}

function onlyUsers(
  wanted: ReadonlyMap<ServerName, WantedKeys>,
  isWanted: (userId: UserId) => boolean,
): ReadonlyMap<ServerName, WantedKeys> {
  const left = [...wanted].map(([server, users]) => {
    const entries = Object.entries(users).filter(([userId]) => isWanted(userId as UserId));
    return [server, Object.fromEntries(entries) as WantedKeys] as const;
  });
  return new Map(left.filter(([, users]) => Object.keys(users).length > 0));
}
