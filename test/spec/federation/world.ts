// What the examples of the Server-Server API find: a server with a user and a room, and another server that asks, in whose
// name a user has joined that room.

import type { JsonObject } from '../../../src/protocol/json.ts';
import type { TestClient } from '../../client.ts';
import { ask } from '../../federation/asking.ts';
import type { ForeignRoom } from '../../federation/foreign-room.ts';
import { HostileServer } from '../../federation/hostile-server.ts';
import { type ComposedServer, type Network, startNetwork } from '../../federation/network.ts';
import { type Answer, pathOf, queryOf } from '../api-client.ts';
import { PIXEL } from '../world.ts';
import { FEDERATION_ROUTES } from './lists.ts';

export interface FederationCall {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: JsonObject;
  /** Default true. */
  readonly signed?: boolean;
}

let counter = 0;

export class FederationWorld {
  readonly #network: Network<ComposedServer>;
  readonly other: HostileServer;
  readonly alice: TestClient;
  /** Public, as the other server has it; `eve` of that server is in it. */
  readonly room: ForeignRoom;

  private constructor(parts: {
    network: Network<ComposedServer>;
    other: HostileServer;
    alice: TestClient;
    room: ForeignRoom;
  }) {
    this.#network = parts.network;
    this.other = parts.other;
    this.alice = parts.alice;
    this.room = parts.room;
  }

  static async create(): Promise<FederationWorld> {
    const network = await startNetwork({
      servers: 1,
      direct: true,
      roomVersion: '11',
      config: {
        room_directory: { public_over_federation: true },
        federation_address: 'federation.example.org:443',
      },
    });
    const other = await HostileServer.start();
    const { name } = network.server(0);
    const alice = await network.server(0).user('alice');
    const roomId = await alice.createRoom({ preset: 'public_chat', room_alias_name: 'room' });
    const room = await other.join(name, roomId, other.user('eve'));
    return new FederationWorld({ network, other, alice, room });
  }

  get serverName(): string {
    return this.#network.server(0).name;
  }

  get roomId(): string {
    return this.room.roomId;
  }

  /** An event that both servers have. */
  get eventId(): string {
    return this.room.heads[0] as string;
  }

  /** A user of the other server who has not been used yet. */
  user(): string {
    counter += 1;
    return this.other.user(`user${counter}`);
  }

  fresh(prefix: string): string {
    counter += 1;
    return `${prefix}${counter}`;
  }

  /** A room of alice's that others may knock on. */
  knockable(): Promise<string> {
    const rule = { type: 'm.room.join_rules', content: { join_rule: 'knock' } };
    return this.alice.createRoom({ preset: 'private_chat', initial_state: [rule] });
  }

  async upload(): Promise<string> {
    const { baseUrl, token } = this.alice;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'image/png' };
    const init = { method: 'POST', headers, body: Buffer.from(PIXEL) };
    const answer = await fetch(`${baseUrl}/_matrix/media/v3/upload`, init);
    const { content_uri: uri } = (await answer.json()) as { content_uri: string };
    return uri.split('/').at(-1) ?? '';
  }

  /** The event of a handshake, hashed and signed, as its path and body. */
  async handshake(
    make: 'makeJoin' | 'makeLeave' | 'makeKnock',
    roomId: string,
    userId: string,
  ): Promise<{ params: { roomId: string; eventId: string }; body: JsonObject }> {
    const ver = make === 'makeLeave' ? {} : { query: { ver: ['10', '11', '12'] } };
    const { status, body } = await this.call(make, { params: { roomId, userId }, ...ver });
    if (status !== 200) throw new Error(`${make}: ${JSON.stringify(body)}`);
    const pdu = this.other.complete(body.event, body.room_version);
    return { params: { roomId, eventId: pdu.eventId }, body: pdu.json };
  }

  async call(operationId: string, call: FederationCall): Promise<Answer> {
    const route = FEDERATION_ROUTES.find((one) => one.operationId === operationId);
    if (route === undefined) throw new Error(`there is no route ${operationId}`);
    const path = pathOf(route, call.params ?? {}) + queryOf({ query: call.query ?? {} });
    return await this.ask(route.method, path, call);
  }

  async ask(
    method: string,
    path: string,
    { body, signed = true }: FederationCall,
  ): Promise<Answer> {
    const destination = this.serverName;
    const answer = signed
      ? await this.other.request(destination, method, path, body)
      : await ask({ destination, method, path, ...(body && { body }) });
    return { ...answer, headers: new Headers() };
  }

  async close(): Promise<void> {
    await this.other.close();
    await this.#network.close();
  }
}
