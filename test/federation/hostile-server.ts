// A server that owns a name, a signing key and rooms, and does what a test says: by default what the specification asks for,
// overridden path by path. Events and requests are signed rightly unless a test signs them otherwise.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Pdu, PduJson } from '../../src/protocol/events/pdu.ts';
import type { EventId, ServerName } from '../../src/protocol/identifiers.ts';
import { isJsonObject, type JsonObject } from '../../src/protocol/json.ts';
import type { RoomVersionId } from '../../src/protocol/roomversions/room-version.ts';
import { signJson, signPdu } from '../../src/protocol/signing.ts';
import { generateSigningKey, type SigningKey } from '../../src/protocol/signing-key.ts';
import type { Answer } from '../client.ts';
import { ask, xMatrix } from './asking.ts';
import { TLS } from './entrance.ts';
import { ForeignRoom, type Signatory } from './foreign-room.ts';

export interface Asked {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: JsonObject;
  /** The parts of the path that the route's groups match, decoded. */
  readonly parts: readonly string[];
  readonly authorization: string | undefined;
}

/** Answers with the object; with undefined has written to `response` itself, or leaves the request hanging. */
export type Handler = (
  asked: Asked,
  response: ServerResponse,
) => JsonObject | undefined | Promise<JsonObject | undefined>;

/** Thrown by a handler: the answer's status and body. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: JsonObject;

  constructor(status: number, body: JsonObject) {
    super(`${status} ${JSON.stringify(body)}`);
    this.status = status;
    this.body = body;
  }
}

const notFound = () => new Refusal(404, { errcode: 'M_NOT_FOUND', error: 'not found' });

interface Route {
  readonly path: RegExp;
  readonly handler: Handler;
}

export interface HostileOptions {
  readonly now?: () => number;
  readonly signingKey?: SigningKey;
}

export class HostileServer implements Signatory {
  readonly name: ServerName;
  readonly signingKey: SigningKey;
  readonly now: () => number;
  readonly rooms = new Map<string, ForeignRoom>();
  /** All that was asked of it, oldest first. */
  readonly asked: Asked[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #routes: Route[];
  #transactions = 0;

  static async start(options: HostileOptions = {}): Promise<HostileServer> {
    const server = createServer(TLS);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new HostileServer(server, options);
  }

  private constructor(server: Server, options: HostileOptions) {
    this.#server = server;
    this.name = `localhost:${(server.address() as AddressInfo).port}` as ServerName;
    this.signingKey = options.signingKey ?? generateSigningKey();
    this.now = options.now ?? Date.now;
    this.#routes = defaultRoutes(this);
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  user(localpart: string): string {
    return `@${localpart}:${this.name}`;
  }

  createRoom(
    version: RoomVersionId,
    more: Partial<Parameters<typeof ForeignRoom.create>[2]> = {},
  ): ForeignRoom {
    const creator = more.creator ?? this.user('eve');
    const room = ForeignRoom.create(this, version, { ...more, creator });
    this.rooms.set(room.roomId, room);
    return room;
  }

  /** Answers what matches, before all else, until the returned function is called. */
  on(path: RegExp, handler: Handler): () => void {
    const route = { path, handler };
    this.#routes.unshift(route);
    return () => {
      const index = this.#routes.indexOf(route);
      if (index !== -1) this.#routes.splice(index, 1);
    };
  }

  askedFor(path: RegExp): Asked[] {
    return this.asked.filter((one) => path.test(one.path));
  }

  /** A signed request. */
  request(
    destination: string,
    method: string,
    path: string,
    body?: JsonObject,
    claimed?: { readonly origin?: string; readonly destination?: string },
  ): Promise<Answer> {
    const authorization = xMatrix({
      origin: this.name,
      destination,
      method,
      path,
      key: this.signingKey,
      ...(body && { body }),
      ...(claimed && { claimed }),
    });
    return ask({ destination, method, path, headers: { authorization }, ...(body && { body }) });
  }

  /** One transaction. */
  send(
    destination: string,
    pdus: readonly (Pdu | JsonObject)[],
    edus: readonly JsonObject[] = [],
  ): Promise<Answer> {
    this.#transactions += 1;
    const path = `/_matrix/federation/v1/send/h${this.#transactions}`;
    const jsons = pdus.map((pdu) => ('eventId' in pdu ? (pdu as Pdu).json : pdu));
    const body = { origin: this.name, origin_server_ts: this.now(), pdus: jsons, edus };
    return this.request(destination, 'PUT', path, body as JsonObject);
  }

  /** A user of ours joins a room by way of the destination. */
  async join(destination: string, roomId: string, userId: string): Promise<ForeignRoom> {
    const versions = Array.from({ length: 12 }, (_, n) => `ver=${n + 1}`).join('&');
    const made = await this.request(
      destination,
      'GET',
      `/_matrix/federation/v1/make_join/${encode(roomId)}/${encode(userId)}?${versions}`,
    );
    if (made.status !== 200) throw new Error(`make_join: ${JSON.stringify(made)}`);
    const version = made.body.room_version as RoomVersionId;
    const join = this.complete(made.body.event, version);
    const sent = await this.request(
      destination,
      'PUT',
      `/_matrix/federation/v2/send_join/${encode(roomId)}/${encode(join.eventId)}`,
      join.json,
    );
    if (sent.status !== 200) throw new Error(`send_join: ${JSON.stringify(sent)}`);
    const { state, auth_chain: authChain, event = join.json } = sent.body;
    const room = ForeignRoom.joined(this, version, { join: event, state, authChain });
    this.rooms.set(room.roomId, room);
    return room;
  }

  /** Hashes and signs the template of an event. */
  complete(template: PduJson, version: RoomVersionId): Pdu {
    const scratch = new ForeignRoom(this, version);
    scratch.roomId = template.room_id as ForeignRoom['roomId'];
    const { prev_events, auth_events, type, sender, state_key, content, depth } = template;
    return scratch.build({
      type,
      sender,
      content,
      depth,
      ...(state_key !== undefined && { stateKey: state_key }),
      prevEvents: prev_events as EventId[],
      authEvents: auth_events as EventId[],
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'https://localhost');
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const asked: Asked = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      body: text === '' ? {} : JSON.parse(text),
      parts: [],
      authorization: request.headers.authorization,
    };
    this.asked.push(asked);
    const give = (status: number, body: JsonObject) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    try {
      const answer = await this.#handle(asked, response);
      if (answer !== undefined) give(200, answer);
    } catch (error) {
      if (error instanceof Refusal) give(error.status, error.body);
      else throw error;
    }
  }

  #handle(asked: Asked, response: ServerResponse): ReturnType<Handler> {
    for (const { path, handler } of this.#routes) {
      const match = path.exec(asked.path);
      if (match === null) continue;
      return handler({ ...asked, parts: match.slice(1).map(decodeURIComponent) }, response);
    }
    throw new Refusal(404, { errcode: 'M_UNRECOGNIZED', error: 'unrecognized' });
  }
}

const encode = encodeURIComponent;
const DAY_MS = 86_400_000;
const json = (pdus: readonly Pdu[]) => pdus.map((pdu) => pdu.json);

function defaultRoutes(server: HostileServer): Route[] {
  const roomOf = (id: string | undefined): ForeignRoom => {
    const room = server.rooms.get(id ?? '');
    if (room === undefined) throw notFound();
    return room;
  };
  const v1 = (path: string, handler: Handler): Route => ({
    path: new RegExp(`^/_matrix/federation/v[12]/${path}$`),
    handler,
  });
  const stateBefore = ({ parts: [roomId], query }: Asked) => {
    const room = roomOf(roomId);
    const pdu = room.events.get(query.get('event_id') as EventId);
    if (pdu === undefined) throw notFound();
    const state = room.stateEvents(pdu.prevEvents);
    return { state, authChain: room.authChain(state) };
  };
  return [
    { path: /^\/_matrix\/key\/v2\/server/, handler: () => keysOf(server) },
    v1('version', () => ({ server: { name: 'hostile', version: '1' } })),
    v1('send/.+', ({ body }) => {
      const pdus = (body.pdus ?? []) as PduJson[];
      for (const pdu of pdus) server.rooms.get(pdu.room_id ?? '')?.receive(pdu);
      return { pdus: {} };
    }),
    v1('make_(join|leave|knock)/([^/]+)/([^/]+)', ({ parts: [action, roomId, userId = ''] }) => {
      const room = roomOf(roomId);
      const event = room.template(userId, { membership: action as string });
      return { room_version: room.version, event };
    }),
    v1('send_join/([^/]+)/([^/]+)', ({ parts: [roomId], body }) => {
      const room = roomOf(roomId);
      const join = room.receive(body as PduJson);
      const state = room.stateEvents(join.prevEvents);
      const authChain = room.authChain([join, ...state]);
      const chain = { state: json(state), auth_chain: json(authChain) };
      return { origin: server.name, event: join.json, ...chain, members_omitted: false };
    }),
    v1('send_(?:leave|knock)/([^/]+)/([^/]+)', ({ parts: [roomId], body }) => {
      roomOf(roomId).receive(body as PduJson);
      return { knock_room_state: [] };
    }),
    v1('invite/([^/]+)/([^/]+)', ({ body }) => invited(server, body)),
    v1('event/([^/]+)', ({ parts: [id] }) => {
      const found = [...server.rooms.values()].flatMap(
        ({ events }) => events.get(id as EventId) ?? [],
      );
      if (found.length === 0) throw notFound();
      return { origin: server.name, origin_server_ts: server.now(), pdus: json(found) };
    }),
    v1('state/([^/]+)', (asked) => {
      const { state, authChain } = stateBefore(asked);
      return { pdus: json(state), auth_chain: json(authChain) };
    }),
    v1('state_ids/([^/]+)', (asked) => {
      const { state, authChain } = stateBefore(asked);
      const ids = (pdus: readonly Pdu[]) => pdus.map((pdu) => pdu.eventId);
      return { pdu_ids: ids(state), auth_chain_ids: ids(authChain) };
    }),
    v1('event_auth/([^/]+)/([^/]+)', ({ parts: [roomId, id] }) => {
      const room = roomOf(roomId);
      const pdu = room.events.get(id as EventId);
      return { auth_chain: json(room.authChain(pdu ? [pdu] : [])) };
    }),
    v1('backfill/([^/]+)', ({ parts: [roomId], query }) => {
      const pdus = roomOf(roomId).before(
        query.getAll('v') as EventId[],
        Number(query.get('limit')),
      );
      return { origin: server.name, origin_server_ts: server.now(), pdus: json(pdus) };
    }),
    v1('get_missing_events/([^/]+)', ({ parts: [roomId], body }) => {
      const room = roomOf(roomId);
      const latest = body.latest_events as EventId[];
      const earliest = new Set(body.earliest_events as EventId[]);
      const limit = Number(body.limit ?? 10);
      const missing = room
        .before(latest, limit + latest.length)
        .filter(({ eventId }) => !earliest.has(eventId) && !latest.includes(eventId));
      return { events: json(missing.reverse()) };
    }),
  ];
}

function keysOf(server: HostileServer): JsonObject {
  const { name, signingKey } = server;
  const keys = {
    server_name: name,
    verify_keys: { [signingKey.keyId]: { key: signingKey.publicKey } },
    old_verify_keys: {},
    valid_until_ts: server.now() + DAY_MS,
  };
  return signJson(keys, name, signingKey);
}

function invited(server: HostileServer, body: JsonObject): JsonObject {
  const { event, room_version: version } = body;
  if (!isJsonObject(event)) throw new Refusal(400, { errcode: 'M_BAD_JSON', error: 'no event' });
  const { rules } = new ForeignRoom(server, version as RoomVersionId);
  const by = { serverName: server.name, key: server.signingKey };
  return { event: signPdu(event as PduJson, rules, by) };
}
