// A server with given routes on a free port, for tests.

import type { TestContext } from 'node:test';
import { ManualClock } from '../clock.ts';
import { type Logger, silentLogger } from '../logger.ts';
import { MatrixError } from '../protocol/error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import type { ListenerOptions } from './listener.ts';
import { noRateLimits } from './rate-limit.ts';
import type { Requester, Route } from './route.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions } from './server.ts';

export interface TestServer {
  readonly server: HttpServer;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly ports: readonly number[];
  readonly logged: readonly Readonly<Record<string, unknown>>[];
  fetch(path: string, init?: RequestInit): Promise<TestResponse>;
}

export interface TestResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Readonly<Record<string, unknown>>;
}

/** The tokens `alice`, `bob` and `guest` are good. */
export async function startTestServer(
  context: TestContext,
  routes: readonly Route[],
  overrides: Partial<HttpServerOptions> = {},
): Promise<TestServer> {
  const logged: Record<string, unknown>[] = [];
  const listeners: readonly ListenerOptions[] = [{ host: '127.0.0.1', port: 0 }];
  const server = await createHttpServer({
    listeners,
    routes,
    authenticate: async (token) => testRequester(token),
    rateLimits: noRateLimits,
    logger: recordingLogger(logged),
    clock: new ManualClock(),
    ...overrides,
  });
  const ports = await server.listen();
  context.after(() => server.close());
  const url = `http://127.0.0.1:${ports[0]}`;
  return {
    server,
    url,
    ports,
    logged,
    async fetch(path, init) {
      const response = await fetch(url + path, init);
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
      return {
        status: response.status,
        headers: response.headers,
        json: isJson ? JSON.parse(text) : { text },
      };
    },
  };
}

function testRequester(token: string): Requester {
  if (!['alice', 'bob', 'guest'].includes(token)) {
    throw new MatrixError('M_UNKNOWN_TOKEN', 'Unknown access token');
  }
  const userId = `@${token}:localhost` as UserId;
  return { userId, isGuest: token === 'guest', accessTokenId: token };
}

function recordingLogger(logged: Record<string, unknown>[]): Logger {
  const record = (fields: object, message: string) => void logged.push({ ...fields, message });
  return { ...silentLogger, warn: record, error: record };
}
