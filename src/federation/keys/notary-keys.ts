// POST /_matrix/key/v2/query: keys of servers from another one that vouches for them. What is asked while a query is on
// its way goes into the next one.

import type { ServerName } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject } from '../../protocol/json.ts';
import { isSignedJson, signingKeyIds } from '../../protocol/signing.ts';
import type { FederationClient, KeyRing } from '../api.ts';
import { checkKeyObject, type ServerKeys } from './key-object.ts';

export interface WantedKey {
  readonly server: ServerName;
  readonly keyId: string;
  readonly validAt?: number | undefined;
}

export interface NotaryKeysOptions {
  readonly client: Pick<FederationClient, 'request'>;
  /** Of the notaries themselves. */
  readonly key: KeyRing['key'];
  readonly now: () => number;
  readonly timeoutMs: number;
}

interface Batch {
  readonly wanted: WantedKey[];
  readonly answer: Promise<readonly JsonObject[]>;
}

const MAX_BYTES = 4 * 1024 * 1024;
const MAX_BATCH = 100;
const MAX_SIGNATURES = 3;

export class NotaryKeys {
  readonly #options: NotaryKeysOptions;
  readonly #running = new Map<ServerName, Promise<unknown>>();
  readonly #next = new Map<ServerName, Batch>();

  constructor(options: NotaryKeysOptions) {
    this.#options = options;
  }

  /** The objects of the server that both it and the notary have signed. Throws FederationError. */
  async query(notary: ServerName, wanted: WantedKey): Promise<readonly ServerKeys[]> {
    const objects = await this.#join(notary, wanted);
    const valid: ServerKeys[] = [];
    for (const json of objects) {
      if (json.server_name !== wanted.server) continue;
      const keys = checkKeyObject(json, wanted.server);
      if (keys !== undefined && (await this.#isVouchedFor(json, notary))) valid.push(keys);
    }
    return valid;
  }

  #join(notary: ServerName, wanted: WantedKey): Promise<readonly JsonObject[]> {
    const open = this.#next.get(notary);
    if (open !== undefined && open.wanted.length < MAX_BATCH) {
      open.wanted.push(wanted);
      return open.answer;
    }
    const before = this.#running.get(notary) ?? Promise.resolve();
    const batch: WantedKey[] = [wanted];
    const answer = before.then(() => {
      if (this.#next.get(notary)?.wanted === batch) this.#next.delete(notary);
      return this.#post(notary, batch);
    });
    const settled = answer.catch(() => undefined);
    this.#running.set(notary, settled);
    this.#next.set(notary, { wanted: batch, answer });
    void settled.then(() => {
      if (this.#running.get(notary) === settled) this.#running.delete(notary);
    });
    return answer;
  }

  async #post(notary: ServerName, batch: readonly WantedKey[]): Promise<readonly JsonObject[]> {
    const criteria = new Map<ServerName, Record<string, JsonObject>>();
    for (const { server, keyId, validAt } of batch) {
      const ofServer = criteria.get(server) ?? {};
      ofServer[keyId] = { minimum_valid_until_ts: validAt ?? this.#options.now() };
      criteria.set(server, ofServer);
    }
    const { client, timeoutMs } = this.#options;
    const { server_keys: found } = await client.request({
      destination: notary,
      method: 'POST',
      path: '/_matrix/key/v2/query',
      body: { server_keys: Object.fromEntries(criteria) },
      signed: false,
      timeoutMs,
      maxBytes: MAX_BYTES,
    });
    return Array.isArray(found) ? found.filter(isJsonObject) : [];
  }

  async #isVouchedFor(json: JsonObject, notary: ServerName): Promise<boolean> {
    for (const keyId of signingKeyIds(json, notary).slice(0, MAX_SIGNATURES)) {
      const validAt = this.#options.now();
      const publicKey = await this.#options.key({ server: notary, keyId, validAt });
      if (publicKey === undefined) continue;
      if (isSignedJson(json, { entity: notary, keyId, publicKey })) return true;
    }
    return false;
  }
}
