// What is known of other servers' keys: in memory what was used last, in the database all of it.

import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { entries } from '../../lru-entries.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject } from '../../protocol/json.ts';
import { parseForeignJson } from '../../protocol/json-checks.ts';
import type { KeyRequest } from '../api.ts';
import {
  deleteServerKeys,
  insertServerKeys,
  type ServerKeyRow,
  selectServerKey,
  selectServerKeys,
} from '../store/server-keys.ts';
import { type ListedKey, listedKey, type ServerKeys } from './key-object.ts';

export interface KnownKey {
  readonly publicKey: KeyObject;
  /** The server itself has said so, and not a notary alone. */
  readonly isOwnWord: boolean;
  /** ms since the epoch. */
  readonly validUntil: number;
}

export interface WantedKey extends Omit<KeyRequest, 'notaries'> {
  /** What a notary alone has said does not do. `validAt` absent: whenever it was valid. */
  readonly isOwnWord: boolean;
}

export interface KnownObject {
  readonly json: JsonObject;
  readonly fetchedAt: number;
  /** The keys for which it is the last that lists them. */
  readonly keyIds: readonly string[];
}

/** Whatever a server says, its keys are to be asked for again after so long: 7 days, by the specification. */
const LONGEST_VALIDITY = 7 * 24 * 3_600_000;
const MAX_IN_MEMORY = 20_000;
const MAX_KEYS_PER_SERVER = 64;

export class KeyStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #memory = new LRUCache<string, KnownKey>(entries(MAX_IN_MEMORY));

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async find({ server, keyId, validAt, isOwnWord }: WantedKey): Promise<KeyObject | undefined> {
    const suffices = (key: KnownKey | undefined) =>
      key !== undefined &&
      (key.isOwnWord || !isOwnWord) &&
      (validAt === undefined || validAt <= key.validUntil);
    const remembered = this.#memory.get(memoryKey(server, keyId));
    if (suffices(remembered)) return remembered?.publicKey;
    const stored = await this.#load(server, keyId);
    return suffices(stored) ? stored?.publicKey : undefined;
  }

  async #load(server: ServerName, keyId: string): Promise<KnownKey | undefined> {
    const row = await selectServerKey(this.#database, server, keyId);
    const publicKey = row && listedKey(objectOf(row), keyId);
    if (row === undefined || publicKey === undefined) return undefined;
    const known = { publicKey, validUntil: row.valid_until, isOwnWord: row.notary === null };
    this.#memory.set(memoryKey(server, keyId), known);
    return known;
  }

  /** Those of the server's own word, the last fetched first. */
  async objects(server: ServerName): Promise<readonly KnownObject[]> {
    const objects = new Map<string, KnownObject>();
    for (const row of await selectServerKeys(this.#database, server)) {
      if (row.notary !== null) continue;
      const { keyIds } = objects.get(row.key_object) ?? { keyIds: [] };
      const known = { json: objectOf(row), fetchedAt: row.fetched_at };
      objects.set(row.key_object, { ...known, keyIds: [...keyIds, row.key_id] });
    }
    return [...objects.values()];
  }

  /**
   * `notary`: who has brought them; absent: the server itself, whose word is the last. What a notary says counts where nothing
   * later is known, and where it may speak at all.
   */
  async keep(keys: ServerKeys, notary: ServerName | null = null): Promise<void> {
    const { server } = keys;
    const changed = await this.#database.transact(async (tx) => {
      const known = await selectServerKeys(tx, server);
      const voucher = notary === null ? null : voucherOf(keys, known, notary);
      if (voucher === undefined) return [];
      const rows = this.#rowsOf(keys, voucher);
      const newer = notary === null ? rows : rows.filter((row) => isLater(row, known));
      if (newer.length > 0) await insertServerKeys(tx, server, newer);
      const ids = new Set(newer.map((row) => row.key_id));
      const others = known.filter((row) => !ids.has(row.key_id));
      const hearsay = notary === null ? others.filter((row) => row.notary !== null) : [];
      const left = others.filter((row) => !hearsay.includes(row));
      const surplus = left.slice(Math.max(0, MAX_KEYS_PER_SERVER - newer.length));
      const gone = [...hearsay, ...surplus].map((row) => row.key_id);
      if (gone.length > 0) await deleteServerKeys(tx, server, gone);
      return [...ids, ...gone];
    });
    for (const keyId of changed) this.#memory.delete(memoryKey(server, keyId));
  }

  #rowsOf({ json, validUntilTs, keys }: ServerKeys, notary: ServerName | null): ServerKeyRow[] {
    const now = this.#clock.now();
    const until = Math.min(validUntilTs, now + LONGEST_VALIDITY);
    const keyObject = JSON.stringify(json);
    return keys.map((key) => ({ ...rowOf(key, { keyObject, until, now }), notary }));
  }
}

/**
 * Whose word keys are that a notary has brought; undefined: nobody's. Else anybody who gives us an event could make up the key
 * that has signed it. What a key in use has signed is as good as what is known of that key; a notary alone is believed of a
 * server of which nobody else has told anything.
 */
function voucherOf(
  { keys }: ServerKeys,
  known: readonly ServerKeyRow[],
  notary: ServerName,
): ServerName | null | undefined {
  const signer = known.find((row) => row.is_old === 0 && keys.some((key) => isSame(key, row)));
  if (signer !== undefined) return signer.notary;
  return known.every((row) => row.notary === notary) ? notary : undefined;
}

function isSame({ keyId, publicKey, expiredTs }: ListedKey, row: ServerKeyRow): boolean {
  if (expiredTs !== undefined || keyId !== row.key_id) return false;
  return listedKey(objectOf(row), keyId)?.equals(publicKey) === true;
}

function rowOf(
  { keyId, expiredTs }: ListedKey,
  { keyObject, until, now }: { keyObject: string; until: number; now: number },
): Omit<ServerKeyRow, 'notary'> {
  return {
    key_id: keyId,
    key_object: keyObject,
    valid_until: expiredTs ?? until,
    is_old: expiredTs === undefined ? 0 : 1,
    fetched_at: now,
  };
}

/** A key that has been given up stays so. */
function isLater(row: ServerKeyRow, known: readonly ServerKeyRow[]): boolean {
  const same = known.find((other) => other.key_id === row.key_id);
  if (same === undefined) return true;
  return same.is_old === 0 && (row.is_old === 1 || row.valid_until > same.valid_until);
}

function objectOf({ key_object: text }: ServerKeyRow): JsonObject {
  const json = parseForeignJson(text);
  return isJsonObject(json) ? json : {};
}

function memoryKey(server: ServerName, keyId: string): string {
  return `${server} ${keyId}`;
}
