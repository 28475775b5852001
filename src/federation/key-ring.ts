// Signing keys of other servers: known ones, else asked of the server itself, else of notaries (Server-Server API,
// "Retrieving server keys").

import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Logger } from '../logger.ts';
import { decodeBase64 } from '../protocol/base64.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import { importPublicKey } from '../protocol/signing.ts';
import type { SigningKey } from '../protocol/signing-key.ts';
import type { FederationClient, KeyRequest, KeyRing } from './api.ts';
import { FederationError } from './federation-error.ts';
import { DirectKeys, type Purpose } from './keys/direct-keys.ts';
import { KeyStore, type KnownObject } from './keys/key-store.ts';
import { NotaryKeys } from './keys/notary-keys.ts';
import { RetryDelays } from './keys/retry-delays.ts';
import { migrations } from './store/migrations.ts';

export interface KeyRingOptions {
  readonly client: Pick<FederationClient, 'request'>;
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly signingKey: SigningKey;
  /** That this server has given up: its events of their time are met in rooms that others have. */
  readonly oldVerifyKeys?: readonly OldVerifyKey[];
}

export interface OldVerifyKey {
  readonly keyId: string;
  readonly publicKey: string;
  /** ms since the epoch. */
  readonly expiredTs: number;
}

const FETCH_TIMEOUT_MS = 10_000;
const NOTARY_TIMEOUT_MS = 20_000;
const MAX_NOTARIES = 3;
/** Short enough for a new key of a server to be had soon, whatever has been asked in vain before. */
const RETRY = { first: 5_000, longest: 300_000 };
/** A notary is asked for keys with different demands: a server that answers is given this many chances to meet them. */
const FREE_FAILURES = 2;
const MAX_OBJECTS = 20;

/** Applies the migrations. */
export async function createKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  await options.database.migrate('federation', migrations);
  const ring = new ServerKeyRing(options);
  const { logger } = options;
  return {
    key: async (request) => {
      try {
        return await ring.key(request);
      } catch (error) {
        const { server, keyId } = request;
        logger.error({ err: error, server, keyId }, 'a signing key could not be looked for');
        return undefined;
      }
    },
    keyObjects: async (request) => {
      try {
        return await ring.keyObjects(request);
      } catch (error) {
        logger.error({ err: error, server: request.server }, 'keys could not be looked for');
        return [];
      }
    },
  };
}

interface Want {
  readonly purpose: Purpose;
  readonly isEnough: () => Promise<boolean>;
  /** Answers that are not, after which the server may be asked at once. */
  readonly free: number;
}

class ServerKeyRing implements KeyRing {
  readonly #options: KeyRingOptions;
  readonly #ownKey: KeyObject;
  readonly #store: KeyStore;
  readonly #direct: DirectKeys;
  readonly #notaries: NotaryKeys;
  readonly #retries: RetryDelays;
  /** By purpose and server. */
  readonly #fetching = new Map<string, Promise<void>>();

  constructor(options: KeyRingOptions) {
    const { client, clock, database, signingKey } = options;
    this.#options = options;
    this.#ownKey = createPublicKey(signingKey.privateKey);
    this.#store = new KeyStore(database, clock);
    this.#direct = new DirectKeys({ client, timeoutMs: FETCH_TIMEOUT_MS });
    this.#notaries = new NotaryKeys({
      client,
      key: (request) => this.key(request),
      now: () => clock.now(),
      timeoutMs: NOTARY_TIMEOUT_MS,
    });
    this.#retries = new RetryDelays({ clock, ...RETRY });
  }

  async key(request: KeyRequest): Promise<KeyObject | undefined> {
    const { serverName, signingKey } = this.#options;
    const { server, keyId, notaries = [] } = request;
    if (server === serverName)
      return keyId === signingKey.keyId ? this.#ownKey : this.#oldKey(request);
    const find = () => this.#store.find({ ...request, isOwnWord: notaries.length === 0 });
    const known = await find();
    if (known !== undefined) return known;
    const purpose = notaries.length === 0 ? 'request' : 'event';
    const isEnough = async () => (await find()) !== undefined;
    await this.#fetch(server, { purpose, isEnough, free: 0 });
    return (await find()) ?? (await this.#askNotaries(request, find));
  }

  #oldKey({ keyId, validAt = 0 }: KeyRequest): KeyObject | undefined {
    const old = this.#options.oldVerifyKeys?.find((one) => one.keyId === keyId);
    if (old === undefined || validAt > old.expiredTs) return undefined;
    const bytes = decodeBase64(old.publicKey);
    return bytes && importPublicKey(bytes);
  }

  async keyObjects({
    server,
    keyIds,
    minimumValidUntil = this.#options.clock.now(),
  }: Parameters<KeyRing['keyObjects']>[0]): Promise<readonly JsonObject[]> {
    if (server === this.#options.serverName) return [];
    const now = this.#options.clock.now();
    const has = async (suffices: (one: KnownObject) => boolean) => {
      const objects = await this.#store.objects(server);
      const ids = new Set(objects.flatMap((one) => one.keyIds));
      return objects.some(suffices) && keyIds.every((id) => ids.has(id));
    };
    const isValid = ({ json }: KnownObject) => Number(json.valid_until_ts) >= minimumValidUntil;
    const isFresh = await has((one) => isValid(one) && isYoung(one, now));
    if (!isFresh) {
      const isEnough = () => has(isValid);
      await this.#fetch(server, { purpose: 'notary', isEnough, free: FREE_FAILURES });
    }
    const objects = await this.#store.objects(server);
    const asked = objects.filter(
      (one) => keyIds.length === 0 || one.keyIds.some((id) => keyIds.includes(id)),
    );
    return asked.slice(0, MAX_OBJECTS).map(({ json }) => json);
  }

  /** Fetches and keeps what the server says of its keys, unless that has been in vain of late. */
  async #fetch(server: ServerName, want: Want): Promise<void> {
    const name = `${want.purpose} ${server}`;
    const running = this.#fetching.get(name);
    if (running !== undefined) return running;
    if (!this.#retries.mayTry(server)) return;
    const fetching = this.#fetchOnce(server, want);
    this.#fetching.set(name, fetching);
    try {
      await fetching;
    } finally {
      this.#fetching.delete(name);
    }
  }

  async #fetchOnce(server: ServerName, { purpose, isEnough, free }: Want): Promise<void> {
    const { found, isAnswered } = await this.#attempt(server, () =>
      this.#direct.fetch(server, purpose),
    );
    if (found !== undefined) await this.#store.keep(found);
    if (found !== undefined && (await isEnough())) this.#retries.succeeded(server);
    else this.#retries.failed(server, isAnswered ? free : 0);
  }

  async #askNotaries(
    { server, keyId, validAt, notaries = [] }: KeyRequest,
    find: () => Promise<KeyObject | undefined>,
  ): Promise<KeyObject | undefined> {
    const others = notaries.filter((one) => one !== server && one !== this.#options.serverName);
    for (const notary of new Set(others.slice(0, MAX_NOTARIES))) {
      const question = `${notary} ${server} ${keyId}`;
      if (!this.#retries.mayTry(question)) continue;
      const wanted = { server, keyId, validAt };
      const { found: objects = [] } = await this.#attempt(notary, () =>
        this.#notaries.query(notary, wanted),
      );
      for (const keys of objects) await this.#store.keep(keys, notary);
      const found = await find();
      if (found !== undefined) return found;
      this.#retries.failed(question);
    }
    return undefined;
  }

  async #attempt<T>(
    server: ServerName,
    fetch: () => Promise<T>,
  ): Promise<{ readonly found?: T; readonly isAnswered: boolean }> {
    try {
      return { found: await fetch(), isAnswered: true };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.logger.debug({ server, reason }, 'keys could not be fetched');
      return { isAnswered: error instanceof FederationError && error.kind === 'refused' };
    }
  }
}

/** A notary is to keep an answer for half of its lifetime; one that had run out when it came is as good as it will be. */
function isYoung({ json, fetchedAt }: KnownObject, now: number): boolean {
  const lifetime = Number(json.valid_until_ts) - fetchedAt;
  return lifetime <= 0 || now - fetchedAt <= lifetime / 2;
}
