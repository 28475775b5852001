// The HTTP server: several listeners, one set of routes, and an orderly end.

import type { Server } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Authenticate } from './admission.ts';
import { createApplication } from './application.ts';
import { connectionLimit } from './connection-limit.ts';
import { createListener, type Dispatch, type ListenerOptions, listen } from './listener.ts';
import type { RateLimits } from './rate-limit.ts';
import type { RequestContext } from './request-context.ts';
import type { Route } from './route.ts';
import { ServerLanes } from './server-lanes.ts';
import type { AuthenticateServer } from './server-request.ts';

export interface HttpServerOptions {
  readonly listeners: readonly ListenerOptions[];
  readonly routes: readonly Route[];
  readonly authenticate: Authenticate;
  /** Absent: no other server is let in. */
  readonly authenticateServer?: AuthenticateServer;
  readonly rateLimits: RateLimits;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Of each listener; fewer where the process may not open so many files. Absent: 10,000. */
  readonly maxConnections?: number;
  /** What is in flight may take this long to finish when the server closes; ms, default 10 s. */
  readonly closeGraceMs?: number;
}

export interface HttpServer {
  /** Opens every listener or none (ListenError); resolves with their ports, in order. */
  listen(): Promise<readonly number[]>;
  /** Stops accepting, ends long polls, lets what is in flight finish, then resolves. */
  close(): Promise<void>;
}

const DEFAULT_CLOSE_GRACE_MS = 10_000;
const DEFAULT_MAX_CONNECTIONS = 10_000;
const SWEEP_MS = 25;

export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const active = new Set<RequestContext>();
  let isClosing = false;
  let onIdle = (): void => {};
  const lanes = new ServerLanes(options.rateLimits, options.clock);
  const application = await createApplication({
    ...options,
    lanes,
    onStart: (context) => {
      active.add(context);
      if (isClosing) context.abortForShutdown();
    },
    onEnd: (context) => {
      active.delete(context);
      if (active.size === 0) onIdle();
    },
  });
  const dispatch: Dispatch = (request, response) => application.routing(request, response);
  const limit = connectionLimit(options.maxConnections ?? DEFAULT_MAX_CONNECTIONS);
  const servers = options.listeners.map((listener) => createListener(listener, dispatch, limit));

  async function close(): Promise<void> {
    isClosing = true;
    lanes.close();
    const idle = new Promise<void>((resolve) => {
      onIdle = resolve;
      if (active.size === 0) resolve();
    });
    const closed = servers.map(closeServer);
    for (const context of active) context.abortForShutdown();
    const grace = expiry(options.clock, options.closeGraceMs ?? DEFAULT_CLOSE_GRACE_MS);
    await Promise.race([Promise.all([idle, ...closed]), grace.expired]);
    grace.cancel();
    for (const server of servers) server.closeAllConnections();
    await application.close();
  }

  return { listen: () => listenAll(servers, options.listeners), close };
}

async function listenAll(
  servers: readonly Server[],
  listeners: readonly ListenerOptions[],
): Promise<readonly number[]> {
  const opened = await Promise.allSettled(
    servers.map((server, index) => listen(server, listeners[index] as ListenerOptions)),
  );
  const failed = opened.find((result) => result.status === 'rejected');
  if (failed === undefined) {
    return opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }
  await Promise.all(servers.map(closeServer));
  throw failed.reason;
}

function closeServer(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    // Node ends connections that are idle now, but not those that become idle after their response.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
    server.close(() => {
      clearInterval(sweep);
      resolve();
    });
  });
}

function expiry(clock: Clock, delayMs: number): { expired: Promise<void>; cancel: () => void } {
  let cancel = (): void => {};
  const expired = new Promise<void>((resolve) => {
    cancel = clock.schedule(delayMs, resolve);
  });
  return { expired, cancel: () => cancel() };
}
