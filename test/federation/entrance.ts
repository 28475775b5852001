// The port in a server's name: takes TLS connections with the test's certificate and passes requests on to wherever the
// server listens now, over the link that leads from who asks. Who asks is read from the signature, which nobody checks here.

import { readFileSync } from 'node:fs';
import {
  Agent,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { SERVER_CERTIFICATE } from '../tls/fixtures.ts';
import type { Exchange, Fault, Links } from './link.ts';

/** Of a server on loopback. */
export const TLS = {
  cert: readFileSync(SERVER_CERTIFICATE.certPath),
  key: readFileSync(SERVER_CERTIFICATE.keyPath),
};

export interface Entrance {
  readonly serverName: string;
  /** `port`: where the server listens now, in plain text on loopback; undefined: connections are broken off. */
  leadTo(port: number | undefined): void;
  close(): Promise<void>;
}

interface Backend {
  readonly port: number;
  readonly agent: Agent;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

export async function openEntrance(links: Links): Promise<Entrance> {
  const sockets = new Set<Socket>();
  let serverName = '';
  let backend: Backend | undefined;
  const server = createServer(TLS, (request, response) => {
    links.underWay += 1;
    pass({ serverName, backend, links }, request, response)
      .catch(() => request.socket.destroy())
      .finally(() => {
        links.underWay -= 1;
      });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  serverName = `localhost:${await listen(server)}`;
  const leadTo = (port: number | undefined) => {
    backend?.agent.destroy();
    backend = port === undefined ? undefined : { port, agent: new Agent({ keepAlive: true }) };
  };
  const close = async () => {
    leadTo(undefined);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { serverName, leadTo, close };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

interface Passage {
  readonly serverName: string;
  readonly backend: Backend | undefined;
  readonly links: Links;
}

async function pass(
  passage: Passage,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await read(request);
  const { method = '', url: path = '' } = request;
  const origin = originOf(request.headers.authorization);
  const link = passage.links.between(origin, passage.serverName);
  const fault = await link.enter(path);
  const exchange: Exchange = { method, path, body: body.toString(), ...(fault && { fault }) };
  link.exchanges.push(exchange);
  if (fault === 'cut' || fault === 'dropRequest') {
    request.socket.destroy();
    return;
  }
  if (fault === 'error') {
    response.writeHead(503, { 'content-type': 'text/html' }).end('<html>busy</html>');
    return;
  }
  if (fault === 'twice') {
    await ask(passage, request, body).catch(() => undefined);
    await link.leave(path);
  }
  const answer = await ask(passage, request, body);
  exchange.status = answer.status;
  exchange.answer = answer.body.toString();
  await link.leave(path);
  // The link may have been cut meanwhile.
  if (link.isCut) request.socket.destroy();
  else give(request, response, { answer, fault });
}

function give(
  request: IncomingMessage,
  response: ServerResponse,
  { answer, fault }: { answer: Answer; fault: Fault | undefined },
): void {
  if (fault === 'dropAnswer') {
    request.socket.destroy();
    return;
  }
  if (fault === 'garbage') {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"pdus": [{"\u0000');
    return;
  }
  const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...headers } = answer.headers;
  response.writeHead(answer.status, { ...headers, 'content-length': answer.body.length });
  response.end(answer.body);
}

function ask({ backend }: Passage, request: IncomingMessage, body: Buffer): Promise<Answer> {
  const { method, url: path } = request;
  const { 'transfer-encoding': _, ...others } = request.headers;
  const headers = body.length === 0 ? others : { ...others, 'content-length': body.length };
  return new Promise((resolve, reject) => {
    if (backend === undefined) throw new Error('nobody listens');
    const outgoing = httpRequest({ host: '127.0.0.1', method, path, headers, ...backend });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const { statusCode: status = 0, headers } = incoming;
      read(incoming).then((bytes) => resolve({ status, headers, body: bytes }), reject);
    });
    outgoing.end(body);
  });
}

async function read(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Of `X-Matrix origin="…"`. */
function originOf(authorization: string | undefined): string {
  const [, quoted, plain] = /\borigin\s*=\s*(?:"([^"]*)"|([^",]+))/.exec(authorization ?? '') ?? [];
  return quoted ?? plain ?? 'unsigned';
}
