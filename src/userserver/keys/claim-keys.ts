// POST /keys/claim: one-time keys, each given out once; a fallback key where there is none left.

import type { Transaction } from '../../database/database.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJsonExactly,
} from '../../protocol/json.ts';
import type { UserserverContext } from '../context.ts';
import { updateFallbackKeyUsed, updateNextGivenOut } from '../store/one-time-keys.ts';
import { byServer } from './by-server.ts';
import type { KeyCountCache } from './key-counts.ts';
import type { WantedOneTimeKeys } from './keys-api.ts';
import type { RemoteUserKeys } from './remote-user-keys.ts';
import { askServers } from './servers.ts';

/** A large room has some thousands of devices. */
const MAX_CLAIMS = 10_000;
/** Of one unit of work. */
const CHUNK = 100;

interface Claim {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly algorithm: string;
}

/** What a claim has got. */
interface Taken {
  readonly claim: Claim;
  readonly keys: JsonObject;
}

type Claimed = Record<UserId, Record<DeviceId, JsonObject>>;

interface Parts {
  readonly context: UserserverContext;
  readonly counts: KeyCountCache;
  readonly remote: RemoteUserKeys;
}

export async function claimKeys(
  { context, counts, remote }: Parts,
  { wanted, timeoutMs }: { readonly wanted: WantedOneTimeKeys; readonly timeoutMs: number },
): Promise<JsonObject> {
  const users = byServer(wanted, context.serverName);
  const own = await claimLocalKeys(context, counts, users.local);
  const asking = { asked: users.remote, timeoutMs, clock: context.clock };
  const { answers, failures } = await askServers(asking, (server, asked, leftMs) =>
    remote.claim({ server, wanted: asked, timeoutMs: leftMs }),
  );
  const others = answers.map(({ server, body }) => checkedClaims(body, users.remote.get(server)));
  return { one_time_keys: Object.assign(own, ...others), failures };
}

export async function claimLocalKeys(
  { database }: UserserverContext,
  counts: KeyCountCache,
  wanted: WantedOneTimeKeys,
): Promise<Claimed> {
  const claims = claimsOf(wanted);
  if (claims.length > MAX_CLAIMS) {
    throw new MatrixError('M_TOO_LARGE', `At most ${MAX_CLAIMS} keys are claimed at a time`);
  }
  const taken: Taken[] = [];
  for (let start = 0; start < claims.length; start += CHUNK) {
    const chunk = claims.slice(start, start + CHUNK);
    taken.push(...(await database.transact((tx) => take(tx, counts, chunk))));
  }
  return claimedOf(taken);
}

function claimedOf(taken: readonly Taken[]): Claimed {
  const byUser = [...Map.groupBy(taken, ({ claim }) => claim.userId)];
  const byDevice = (some: readonly Taken[]) =>
    Object.fromEntries(some.map(({ claim, keys }) => [claim.deviceId, keys]));
  return Object.fromEntries(byUser.map(([userId, some]) => [userId, byDevice(some)]));
}

/** In one order, so that units that want the same keys do not wait for each other crosswise. */
function claimsOf(wanted: WantedOneTimeKeys): Claim[] {
  const claims = Object.entries(wanted).flatMap(([userId, devices]) =>
    Object.entries(devices as Record<DeviceId, string>).map(([deviceId, algorithm]) => ({
      userId: userId as UserId,
      deviceId: deviceId as DeviceId,
      algorithm,
    })),
  );
  const nameOf = ({ userId, deviceId }: Claim) => `${userId}\0${deviceId}`;
  return claims.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

async function take(
  tx: Transaction,
  counts: KeyCountCache,
  claims: readonly Claim[],
): Promise<Taken[]> {
  const taken: Taken[] = [];
  for (const claim of claims) {
    const key =
      (await updateNextGivenOut(tx, claim, claim.algorithm)) ??
      (await updateFallbackKeyUsed(tx, claim, claim.algorithm));
    if (key === undefined) continue;
    counts.forgetAfterCommit(tx, claim);
    taken.push({
      claim,
      keys: { [`${key.algorithm}:${key.keyId}`]: parseJsonExactly(key.key) },
    });
  }
  return taken;
}

/** Of the other server's answer, keys of devices and algorithms that were asked for. */
function checkedClaims(
  { one_time_keys: found }: JsonObject,
  asked: WantedOneTimeKeys | undefined,
): Claimed {
  const taken = claimsOf(asked ?? {}).flatMap((claim) => {
    const keys = memberOf(memberOf(found, claim.userId), claim.deviceId);
    const own = Object.entries(isJsonObject(keys) ? keys : {}).find(
      ([name, key]) => name.startsWith(`${claim.algorithm}:`) && isKey(key),
    );
    return own === undefined ? [] : [{ claim, keys: Object.fromEntries([own]) }];
  });
  return claimedOf(taken);
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isKey(key: JsonValue | undefined): boolean {
  return typeof key === 'string' || isJsonObject(key);
}
