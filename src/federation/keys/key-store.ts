// What is known of other servers' keys: in memory what was used last, in the database all of it.

import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { entries } from '../../lru-entries.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject } from '../../protocol/json.ts';
import { parseForeignJson } from '../../protocol/json-checks.ts';
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
  /** ms since the epoch. */
  readonly validUntil: number;
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

  /** `validAt` absent: whenever it was valid. */
  async find(
    server: ServerName,
    keyId: string,
    validAt: number | undefined,
  ): Promise<KeyObject | undefined> {
    const suffices = (key: KnownKey | undefined) =>
      key !== undefined && (validAt === undefined || validAt <= key.validUntil);
    const remembered = this.#memory.get(memoryKey(server, keyId));
    if (suffices(remembered)) return remembered?.publicKey;
    const stored = await this.#load(server, keyId);
    return suffices(stored) ? stored?.publicKey : undefined;
  }

  async #load(server: ServerName, keyId: string): Promise<KnownKey | undefined> {
    const row = await selectServerKey(this.#database, server, keyId);
    const publicKey = row && listedKey(objectOf(row), keyId);
    if (row === undefined || publicKey === undefined) return undefined;
    const known = { publicKey, validUntil: row.valid_until };
    this.#memory.set(memoryKey(server, keyId), known);
    return known;
  }

  /** The last fetched first. */
  async objects(server: ServerName): Promise<readonly KnownObject[]> {
    const objects = new Map<string, KnownObject>();
    for (const row of await selectServerKeys(this.#database, server)) {
      const { keyIds } = objects.get(row.key_object) ?? { keyIds: [] };
      const known = { json: objectOf(row), fetchedAt: row.fetched_at };
      objects.set(row.key_object, { ...known, keyIds: [...keyIds, row.key_id] });
    }
    return [...objects.values()];
  }

  /** `direct`: from the server itself, whose word is the last. What a notary says counts where nothing later is known. */
  async keep(keys: ServerKeys, source: 'direct' | 'notary'): Promise<void> {
    const now = this.#clock.now();
    const keyObject = JSON.stringify(keys.json);
    const until = Math.min(keys.validUntilTs, now + LONGEST_VALIDITY);
    const rows = keys.keys.map((key): ServerKeyRow => rowOf(key, { keyObject, until, now }));
    const kept = await this.#database.transact(async (tx) => {
      const known = await selectServerKeys(tx, keys.server);
      const newer = source === 'direct' ? rows : rows.filter((row) => isLater(row, known));
      if (newer.length > 0) await insertServerKeys(tx, keys.server, newer);
      const ids = new Set(newer.map((row) => row.key_id));
      const others = known.map((row) => row.key_id).filter((id) => !ids.has(id));
      const surplus = others.slice(Math.max(0, MAX_KEYS_PER_SERVER - newer.length));
      if (surplus.length > 0) await deleteServerKeys(tx, keys.server, surplus);
      return newer;
    });
    for (const row of kept) this.#memory.delete(memoryKey(keys.server, row.key_id));
  }
}

function rowOf(
  { keyId, expiredTs }: ListedKey,
  { keyObject, until, now }: { keyObject: string; until: number; now: number },
): ServerKeyRow {
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
