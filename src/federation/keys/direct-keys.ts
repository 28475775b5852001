// GET /_matrix/key/v2/server: a server's keys from itself. Those who want keys of the same server wait for one request.

import { ConcurrencyLimit } from '../../concurrency-limit.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import type { FederationClient } from '../api.ts';
import { checkKeyObject, MAX_KEY_OBJECT_BYTES, type ServerKeys } from './key-object.ts';

export interface DirectKeysOptions {
  readonly client: Pick<FederationClient, 'request'>;
  readonly timeoutMs: number;
}

/** What a key is wanted for. Who has us wait for keys of the one kind holds up none of the others. */
export type Purpose = 'request' | 'event' | 'notary';

const LIMITS = { running: 100, waiting: 10_000 };

export class DirectKeys {
  readonly #options: DirectKeysOptions;
  readonly #limits: Readonly<Record<Purpose, ConcurrencyLimit>> = {
    request: new ConcurrencyLimit(LIMITS),
    event: new ConcurrencyLimit(LIMITS),
    notary: new ConcurrencyLimit(LIMITS),
  };

  constructor(options: DirectKeysOptions) {
    this.#options = options;
  }

  /** Throws FederationError; undefined where what the server says of its keys is not valid. */
  async fetch(server: ServerName, purpose: Purpose): Promise<ServerKeys | undefined> {
    const { client, timeoutMs } = this.#options;
    const json = await this.#limits[purpose].run(() =>
      client.request({
        destination: server,
        method: 'GET',
        path: '/_matrix/key/v2/server',
        // Whoever checks a signature asks for keys: signed, such requests would go to and fro for ever.
        signed: false,
        timeoutMs,
        maxBytes: MAX_KEY_OBJECT_BYTES,
      }),
    );
    return checkKeyObject(json, server);
  }
}
