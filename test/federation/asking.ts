// A request over TLS with the test's authority trusted, as another server would make it; and who signs such requests.

import { readFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { encodeCanonicalJson } from '../../src/protocol/canonical-json.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { signText } from '../../src/protocol/signing.ts';
import type { SigningKey } from '../../src/protocol/signing-key.ts';
import type { Answer } from '../client.ts';
import { TEST_CA } from '../tls/fixtures.ts';

const agent = new Agent({ ca: readFileSync(TEST_CA), keepAlive: false });

export interface Asked {
  /** `localhost:port` */
  readonly destination: string;
  readonly method: string;
  readonly path: string;
  readonly body?: JsonObject | string;
  readonly headers?: Record<string, string>;
}

/** Whatever comes as JSON; text where it is none. */
export function ask({ destination, method, path, body, headers }: Asked): Promise<Answer> {
  const [host, port] = destination.split(':');
  const text = typeof body === 'object' ? JSON.stringify(body) : body;
  const type = text === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const options = { host, port, method, path, agent, headers: { ...type, ...headers } };
    const outgoing = httpsRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const answer = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, body: parsed(answer) });
      });
    });
    outgoing.setTimeout(20_000, () => outgoing.destroy(new Error(`${path}: no answer`)));
    outgoing.on('error', reject);
    outgoing.end(text);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The Authorization header of a signed request; whatever is given twice is meant to be wrong. */
export function xMatrix(request: {
  readonly origin: string;
  readonly destination: string;
  readonly method: string;
  readonly path: string;
  readonly body?: JsonObject;
  readonly key: SigningKey;
  /** Instead of the real one, in the header alone. */
  readonly claimed?: { readonly origin?: string; readonly destination?: string };
}): string {
  const { origin, destination, method, path: uri, body: content, key, claimed } = request;
  const text = encodeCanonicalJson(
    { method, uri, origin, destination, ...(content && { content }) },
    { strict: false },
  );
  const fields = {
    origin: claimed?.origin ?? origin,
    destination: claimed?.destination ?? destination,
    key: key.keyId,
    sig: signText(text, key),
  };
  return `X-Matrix ${Object.entries(fields)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}`;
}
