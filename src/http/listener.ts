// One address that the server listens on: plain or TLS, with bounds on slow and idle clients.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { PREFLIGHT_HEADERS } from './cors.ts';
import { trustForwardedFor } from './remote-address.ts';
import { type Resource, resourceOf } from './resources.ts';

// An import would evaluate all that node:http has, its WebSocket too: 16 MB, and a tenth of the time to start.
const { createServer } = process.getBuiltinModule('node:http');

export interface ListenerOptions {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  /** PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Absent: all. */
  readonly resources?: readonly Resource[];
  /** Only where nothing but a reverse proxy can connect. */
  readonly trustForwardedFor?: boolean;
}

/** Where a listener could not be opened; `code` is node's, such as EADDRINUSE. */
export class ListenError extends Error {
  readonly code: string;
  readonly listener: ListenerOptions;

  constructor(listener: ListenerOptions, cause: NodeJS.ErrnoException) {
    super(`cannot listen on ${listener.host}:${listener.port}: ${cause.message}`, { cause });
    this.name = 'ListenError';
    this.code = cause.code ?? 'unknown';
    this.listener = listener;
  }
}

export type Dispatch = (request: IncomingMessage, response: ServerResponse) => void;

const TIMEOUTS = {
  headersTimeout: 20_000,
  /** The whole request with its body: an upload of 50 MB at 1.4 Mbit/s. */
  requestTimeout: 300_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
  /** A request without a body gets no stream to read it from. */
  optimizeEmptyRequests: true,
};

export function createListener(
  options: ListenerOptions,
  dispatch: Dispatch,
  maxConnections: number,
): Server {
  const onRequest: Dispatch = (request, response) => {
    if (request.method === 'OPTIONS') {
      response.writeHead(204, PREFLIGHT_HEADERS).end();
      return;
    }
    if (options.trustForwardedFor === true) trustForwardedFor(request);
    if (!isServed(options, request)) request.url = '/';
    dispatch(request, response);
  };
  const server =
    options.tls === undefined
      ? createServer(TIMEOUTS, onRequest)
      : createTlsServer({ ...TIMEOUTS, ...options.tls }, onRequest);
  server.on('clientError', onClientError);
  server.maxConnections = maxConnections;
  return server;
}

function isServed({ resources }: ListenerOptions, request: IncomingMessage): boolean {
  if (resources === undefined) return true;
  const resource = resourceOf(request.url ?? '');
  return resource !== undefined && resources.includes(resource);
}

/** What node could not even read as HTTP. */
function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? '408 Request Timeout'
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : '400 Bad Request';
  const body = JSON.stringify({ errcode: 'M_UNKNOWN', error: status.slice(4) });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n` +
      `Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n${body}`,
  );
  // Without waiting for the client to close its end: it may never do so.
  socket.destroySoon();
}

export function listen(server: Server, options: ListenerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => reject(new ListenError(options, error));
    server.once('error', onError);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off('error', onError);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : options.port);
    });
  });
}
