// A server that knows nothing but peeking over federation: MSC2444 as written, or as Dendrite or Palpo have it, on both
// sides. It shares no code with the server under test, and judges what it is sent by its own reading of the specification.

import type { Dialect } from './dialects.ts';
import { checkEvent, idOf, type PeerRoomVersion, serverOf } from './events.ts';
import { canonical, type Json } from './json.ts';
import { newPeekId, peekUri, readSnapshot, type Snapshot, versionQuery } from './peeker.ts';
import { Resident } from './resident.ts';
import { type NewEvent, PeerRoom } from './room.ts';
import { authorizationOf, fieldsOf, isSignature, newKey, signedJson } from './signing.ts';
import { ask, listen, type PeerAnswer, type PeerRequest, type Reply, type Wire } from './wire.ts';

export interface Received {
  /** Who has sent it. */
  readonly origin: string;
  readonly event: Json;
}

export interface PeekPeerOptions {
  readonly dialect?: Dialect;
  readonly now?: () => number;
}

export interface LookOptions {
  readonly dialect?: Dialect;
  /** Instead of what the dialect makes. */
  readonly peekId?: string;
}

const DAY_MS = 86_400_000;

export class PeekPeer {
  readonly key = newKey();
  readonly resident: Resident;
  /** What it was asked by servers that have signed rightly, oldest first; its own key is public. */
  readonly requests: (PeerRequest & { readonly origin: string })[] = [];
  /** What came by `/send`, oldest first. */
  readonly received: Received[] = [];
  readonly expired: Json[] = [];
  /** What is wrong with what came. */
  readonly faults: string[] = [];
  /** Answers in the place of the peer where it gives something. */
  intercept: (request: PeerRequest) => Reply | undefined = () => undefined;
  readonly #now: () => number;
  readonly #keys = new Map<string, Record<string, string>>();
  #wire: Wire | undefined;

  static async start(options: PeekPeerOptions = {}): Promise<PeekPeer> {
    const peer = new PeekPeer(options);
    peer.#wire = await listen((request) => peer.#answer(request));
    peer.resident.dialect = options.dialect ?? 'msc2444';
    return peer;
  }

  private constructor({ now = Date.now }: PeekPeerOptions) {
    this.#now = now;
    const peer = this;
    this.resident = new Resident({
      get name() {
        return peer.name;
      },
      now,
      tell: (destination, method, path, body) => this.tell(destination, method, path, body),
    });
  }

  get name(): string {
    return this.#wire?.name ?? '';
  }

  get isBusy(): boolean {
    return this.#wire?.isBusy() === true;
  }

  user(localpart: string): string {
    return `@${localpart}:${this.name}`;
  }

  async close(): Promise<void> {
    await this.#wire?.close();
  }

  openRoom(version: PeerRoomVersion): PeerRoom {
    const room = PeerRoom.open(version, this, this.user('owner'));
    this.resident.rooms.set(room.roomId, room);
    return room;
  }

  /** A new event in a room of this peer, by one of its users or another server's; told to those who look. */
  async add(room: PeerRoom, event: NewEvent, author: PeekPeer = this): Promise<Json> {
    const added = room.add(author, author.user(author === this ? 'owner' : 'guest'), event);
    await this.resident.relay(room, added);
    return added;
  }

  async say(room: PeerRoom, body: string, author: PeekPeer = this): Promise<Json> {
    return this.add(room, { type: 'm.room.message', content: { msgtype: 'm.text', body } }, author);
  }

  /** Signed by this peer. */
  request(destination: string, method: string, uri: string, content?: Json): Promise<PeerAnswer> {
    const request = { method, uri, origin: this.name, destination };
    const signed = content === undefined ? request : { ...request, content };
    const authorization = authorizationOf(signed, this.key);
    return ask({ ...signed, authorization });
  }

  async tell(destination: string, method: string, uri: string, content?: Json): Promise<Json> {
    const { status, body } = await this.request(destination, method, uri, content);
    if (status !== 200) throw new Error(`${method} ${uri}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  putPeek(server: string, roomId: string, options: LookOptions = {}): Promise<PeerAnswer> {
    const { dialect = 'msc2444', peekId = newPeekId(dialect, roomId) } = options;
    const uri = `${peekUri(roomId, peekId)}${versionQuery(dialect)}`;
    return this.request(server, 'PUT', uri, {});
  }

  /** Looks into a room: what the answer says, all of it checked. */
  async look(server: string, roomId: string, options: LookOptions = {}): Promise<Snapshot> {
    const { status, body } = await this.putPeek(server, roomId, options);
    if (status !== 200) throw new Error(`PUT /peek: ${status} ${JSON.stringify(body)}`);
    const snapshot = readSnapshot(options.dialect ?? 'msc2444', body);
    for (const event of snapshot.events.values()) await this.#check(event);
    if (this.faults.length > 0) throw new Error(this.faults.join('; '));
    return snapshot;
  }

  async #answer(request: PeerRequest): Promise<Reply> {
    if (this.resident.crash !== undefined) return 'cut';
    const [api, , action] = request.parts;
    if (api === 'key') return { status: 200, body: this.#ownKeys() };
    const origin = await this.#originOf(request);
    if (origin === undefined) return { status: 401, body: { errcode: 'M_UNAUTHORIZED' } };
    this.requests.push({ ...request, origin });
    const instead = this.intercept(request);
    if (instead !== undefined) return instead;
    if (action === 'send') return this.#receive(request, origin);
    return this.resident.answer(request, origin);
  }

  async #receive({ body }: PeerRequest, origin: string): Promise<Reply> {
    for (const event of body.pdus) {
      await this.#check(event);
      this.received.push({ origin, event });
      this.resident.rooms.get(event.room_id)?.keep(event);
    }
    for (const peek of body.expired_peeks ?? []) this.expired.push({ origin, ...peek });
    return { status: 200, body: { pdus: {} } };
  }

  async #check(event: Json): Promise<void> {
    try {
      checkEvent(event, await this.#keysOf(serverOf(event.sender)));
    } catch (error) {
      this.faults.push(`${error}`);
    }
  }

  #ownKeys(): Json {
    const keys = {
      server_name: this.name,
      verify_keys: { [this.key.id]: { key: this.key.public } },
      valid_until_ts: this.#now() + DAY_MS,
    };
    return signedJson(keys, this.name, this.key);
  }

  /** undefined: it is not signed as it says. */
  async #originOf(request: PeerRequest): Promise<string | undefined> {
    const { origin = '', destination, key = '', sig } = fieldsOf(request.authorization);
    if (destination !== this.name) return undefined;
    const { method, uri, body } = request;
    const content = body === undefined ? {} : { content: body };
    const text = canonical({ method, uri, origin, destination, ...content });
    const publicKey = (await this.#keysOf(origin))[key];
    const isRight = publicKey !== undefined && isSignature(text, sig, publicKey);
    return isRight ? origin : undefined;
  }

  /** Public keys by id, as the server itself tells them. */
  async #keysOf(server: string): Promise<Record<string, string>> {
    const known = this.#keys.get(server);
    if (known !== undefined) return known;
    const { body } = await ask({
      destination: server,
      method: 'GET',
      uri: '/_matrix/key/v2/server',
    });
    const keys = Object.fromEntries(
      Object.entries<Json>(body.verify_keys).map(([id, { key }]) => [id, key as string]),
    );
    this.#keys.set(server, keys);
    return keys;
  }
}

export function idsOf(received: readonly Received[]): string[] {
  return received.map(({ event }) => idOf(event));
}
