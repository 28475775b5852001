// HTTPS of the peer: what it is asked, and what it asks, with the test's authority trusted.

import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { SERVER_CERTIFICATE, TEST_CA } from '../tls/fixtures.ts';
import type { Json } from './json.ts';

export interface PeerRequest {
  readonly method: string;
  /** With the query, as sent. */
  readonly uri: string;
  /** Of the path, decoded, without `_matrix`. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  /** undefined: there is none. */
  readonly body: Json;
  readonly authorization: string | undefined;
}

export interface PeerAnswer {
  readonly status: number;
  readonly body: Json;
}

/** An answer that is no JSON. */
export interface PlainAnswer {
  readonly status: number;
  readonly text: string;
}

/** `hang`: there is no answer; `cut`: the connection is broken off. */
export type Reply = PeerAnswer | PlainAnswer | 'hang' | 'cut';

export interface Wire {
  /** `localhost:port` */
  readonly name: string;
  /** Handshakes and answers that are under way: time had better stand still meanwhile. */
  isBusy(): boolean;
  close(): Promise<void>;
}

export async function listen(answer: (request: PeerRequest) => Promise<Reply>): Promise<Wire> {
  const sockets = new Set<Socket>();
  const tls = {
    cert: readFileSync(SERVER_CERTIFICATE.certPath),
    key: readFileSync(SERVER_CERTIFICATE.keyPath),
  };
  const shaking = new Set<unknown>();
  const answering = new Set<IncomingMessage>();
  const server = createServer(tls, (request, response) => {
    answering.add(request);
    handle(request, response, answer)
      .catch(() => response.destroy())
      .finally(() => answering.delete(request));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    shaking.add(socket.remotePort);
    const { remotePort } = socket;
    socket.once('close', () => {
      sockets.delete(socket);
      shaking.delete(remotePort);
    });
  });
  server.on('secureConnection', ({ remotePort }) => shaking.delete(remotePort));
  const name = `localhost:${await portOf(server)}`;
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { name, isBusy: () => shaking.size + answering.size > 0, close };
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function handle(
  incoming: IncomingMessage,
  response: ServerResponse,
  answer: (request: PeerRequest) => Promise<Reply>,
): Promise<void> {
  const text = await textOf(incoming);
  const url = new URL(incoming.url ?? '', 'https://localhost');
  const reply = await answer({
    method: incoming.method ?? '',
    uri: incoming.url ?? '',
    parts: url.pathname.split('/').slice(2).map(decodeURIComponent),
    query: url.searchParams,
    body: text === '' ? undefined : JSON.parse(text),
    authorization: incoming.headers.authorization,
  });
  if (reply === 'hang') return;
  if (reply === 'cut') {
    response.destroy();
    return;
  }
  response.writeHead(reply.status, { 'content-type': 'application/json' });
  response.end('text' in reply ? reply.text : JSON.stringify(reply.body));
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const agent = new Agent({ ca: readFileSync(TEST_CA), keepAlive: false });
const PATIENCE_MS = 20_000;

export interface Asking {
  /** `localhost:port` */
  readonly destination: string;
  readonly method: string;
  readonly uri: string;
  readonly content?: Json;
  readonly authorization?: string;
}

export function ask({
  destination,
  method,
  uri,
  content,
  authorization,
}: Asking): Promise<PeerAnswer> {
  const [host, port] = destination.split(':');
  const headers = {
    ...(content !== undefined && { 'content-type': 'application/json' }),
    ...(authorization !== undefined && { authorization }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest({ host, port, method, path: uri, headers, agent });
    outgoing.on('response', (incoming) => {
      textOf(incoming)
        .then((text) => resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(text) }))
        .catch(reject);
    });
    outgoing.setTimeout(PATIENCE_MS, () => outgoing.destroy(new Error(`${uri}: no answer`)));
    outgoing.on('error', reject);
    outgoing.end(content === undefined ? undefined : JSON.stringify(content));
  });
}
