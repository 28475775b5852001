// Servers on loopback to be talked to over TLS, and a DNS that says what a test wants.

import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { type CertificateFiles, SERVER_CERTIFICATE, TEST_CA } from '../../test/tls/fixtures.ts';
import { type Clock, systemClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import { generateSigningKey } from '../protocol/signing-key.ts';
import type { FederationClient } from './api.ts';
import { createFederationClient, type FederationClientOptions } from './client.ts';
import type { Endpoint, NameResolver } from './name-resolver.ts';

export const HERE = 'here.test.example' as ServerName;
export const HERE_KEY = generateSigningKey();

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** SNI. */
  readonly servername: string | false | null;
}

export interface TestServer {
  readonly port: number;
  readonly seen: Seen[];
  /** Sockets that have been accepted so far. */
  connections(): number;
}

export type Answer = (seen: Seen, response: ServerResponse) => unknown;

export interface TestServerOptions {
  readonly certificate?: CertificateFiles;
  readonly host?: string;
  readonly port?: number;
}

/** Listens until the test ends. An object that `answer` returns is answered as JSON. */
export async function startServer(
  t: TestContext,
  answer: Answer,
  options: TestServerOptions = {},
): Promise<TestServer> {
  const { certificate = SERVER_CERTIFICATE, host = '127.0.0.1', port = 0 } = options;
  const seen: Seen[] = [];
  let connections = 0;
  const tls = { cert: readFileSync(certificate.certPath), key: readFileSync(certificate.keyPath) };
  const server = createServer(tls, async (request, response) => {
    const { method = '', url = '', headers, socket } = request;
    const { servername = null } = socket as unknown as { servername?: string | false };
    const one = { method, url, headers, servername, body: String(await buffer(request)) };
    seen.push(one);
    const result = await answer(one, response);
    if (result !== undefined && !response.headersSent) {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(result));
    }
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, seen, connections: () => connections };
}

export interface Names {
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  readonly services?: Readonly<Record<string, readonly Endpoint[]>>;
}

/** Names ending in `.test.example` are at 127.0.0.1 unless the test says otherwise; `asked` has what was looked up. */
export function testResolver(names: Names = {}): NameResolver & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    addresses: async (host) => {
      asked.push(host);
      const known = names.addresses?.[host];
      if (known !== undefined) return known;
      if (host === 'localhost' || host.endsWith('.test.example')) return ['127.0.0.1'];
      throw new Error(`ENOTFOUND ${host}`);
    },
    services: async (name) => {
      asked.push(name);
      return names.services?.[name] ?? [];
    },
  };
}

export type ClientOptions = Partial<Omit<FederationClientOptions, 'config'>> & {
  readonly config?: Partial<FederationClientOptions['config']>;
  readonly clock?: Clock;
};

/** Trusts the test CA, and is closed when the test ends. */
export function openClient(t: TestContext, options: ClientOptions = {}): FederationClient {
  const client = createFederationClient({
    serverName: HERE,
    signingKey: HERE_KEY,
    clock: systemClock,
    logger: silentLogger,
    resolver: testResolver(),
    ...options,
    config: { deniedNetworks: [], trustedCa: readFileSync(TEST_CA, 'utf8'), ...options.config },
  });
  t.after(() => client.close());
  return client;
}
