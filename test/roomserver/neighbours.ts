// Several roomservers that reach each other directly: what goes over the network elsewhere are calls here, whose answers
// a test can change, delay and refuse.

import type { FederationClient } from '../../src/federation/api.ts';
import { FederationError } from '../../src/federation/federation-error.ts';
import type { HandshakeEvent, SendJoinAnswer } from '../../src/federationsender/api.ts';
import { MatrixError } from '../../src/protocol/error.ts';
import type { Pdu, PduJson } from '../../src/protocol/events/pdu.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { parseJsonExactly } from '../../src/protocol/json.ts';
import type { HandshakeSender, PeekSender } from '../../src/roomserver/context.ts';
import { noPeekSender } from '../../src/roomserver/peeking/no-peek-sender.ts';
import type { Backend } from '../contracts/backends.ts';
import { TestKeys } from './foreign-server.ts';
import { startRoomserver, type TestRoomserver } from './harness.ts';

export interface Neighbour extends TestRoomserver {
  readonly name: ServerName;
  /** Every call that it has made, as `method server`. */
  readonly asked: string[];
  /** Sends the events to another server, as in a transaction, and waits until they have been received. */
  push(to: Neighbour, eventIds: readonly EventId[]): Promise<unknown>;
}

export interface Faults {
  /** Called with each answer before it is given. */
  template?: (server: ServerName, made: { event: JsonObject }) => JsonObject;
  joinAnswer?: (server: ServerName, answer: SendJoinAnswer) => SendJoinAnswer;
  knockAnswer?: (strippedState: JsonObject[]) => JsonObject[];
  /** Before it is handed over. */
  invite?: (request: Parameters<Neighbour['api']['performAcceptInvite']>[0]) => void;
  invited?: (event: JsonObject) => JsonObject;
  answer?: (method: string, server: ServerName, answer: JsonObject) => JsonObject;
  /** Throws, or delays. */
  before?: (method: string, server: ServerName) => Promise<void> | void;
}

export class Neighbourhood {
  readonly keys = new TestKeys();
  readonly faults: Faults = {};
  readonly servers = new Map<ServerName, Neighbour>();

  async start(backend: Pick<Backend, 'open'>, name: string): Promise<Neighbour> {
    const serverName = name as ServerName;
    const asked: string[] = [];
    const server = await startRoomserver(backend, {
      serverName,
      keyRing: this.keys,
      signingKey: this.keys.of(name),
      federationsender: this.#senderOf(serverName, asked),
      federation: this.#clientOf(serverName, asked),
    });
    const neighbour: Neighbour = {
      ...server,
      name: serverName,
      asked,
      push: async (to, eventIds) => {
        const events = await server.context.events.load(eventIds);
        const pdus = eventIds.map((id) => overTheWire((events.get(id) as { pdu: Pdu }).pdu.json));
        const request = { origin: serverName, transactionId: String(asked.length), pdus };
        const { results } = await to.api.performReceivePdus(request);
        await to.context.staged.idle();
        return results;
      },
    };
    this.servers.set(serverName, neighbour);
    return neighbour;
  }

  async close(): Promise<void> {
    for (const server of this.servers.values()) await server.close();
  }

  async #reach(method: string, asked: string[], server: ServerName): Promise<Neighbour> {
    asked.push(`${method} ${server}`);
    await this.faults.before?.(method, server);
    const neighbour = this.servers.get(server);
    if (neighbour === undefined) throw new MatrixError('M_UNKNOWN', `${server} is not reached`);
    return neighbour;
  }

  /** What is asked by GET and POST, of the other's own answers. */
  #clientOf(origin: ServerName, asked: string[]): Pick<FederationClient, 'request'> {
    return {
      request: async ({ destination, path, query = {}, body = {} }) => {
        const [, , , , method = '', ...parts] = path.split('/').map(decodeURIComponent);
        let api: Neighbour['api'];
        try {
          ({ api } = await this.#reach(method, asked, destination));
        } catch {
          throw new FederationError('unreachable', destination, { message: 'is not there' });
        }
        const eventId = (query.event_id ?? parts.at(-1)) as EventId;
        const room = { origin, roomId: parts[0] as RoomId, eventId };
        try {
          const answer = await answerOf(api, method, { room, query, body });
          return overTheWire(this.faults.answer?.(method, destination, answer) ?? answer);
        } catch (error) {
          if (!(error instanceof MatrixError)) throw error;
          const { errcode, message } = error;
          throw new FederationError('refused', destination, { message, status: 400, errcode });
        }
      },
    };
  }

  #senderOf(origin: ServerName, asked: string[]): HandshakeSender & PeekSender {
    const reach = (method: string, server: ServerName) => this.#reach(method, asked, server);
    const accept = async (membership: 'join' | 'leave' | 'knock', sent: HandshakeEvent) => {
      const { api } = await reach(`send_${membership}`, sent.server);
      const { roomId } = sent;
      const { eventId } = sent.event;
      const event = overTheWire(sent.event.json);
      return api.performAcceptMembership({ origin, roomId, eventId, membership, event });
    };
    return {
      ...noPeekSender,
      performMakeHandshake: async ({ handshake, roomId, userId, servers, roomVersions }) => {
        let failure: unknown = new MatrixError('M_NOT_FOUND', 'no server to ask');
        for (const server of servers) {
          try {
            const { api } = await reach(`make_${handshake}`, server);
            const request = { origin, roomId, userId, membership: handshake, roomVersions };
            const made = await api.performMakeMembership(request);
            const template = this.faults.template?.(server, made) ?? made.event;
            return { server, roomVersion: made.roomVersion, event: overTheWire(template) };
          } catch (error) {
            failure = error;
          }
        }
        throw failure;
      },
      performSendJoin: async (sent) => {
        const { event, state, authChain } = await accept('join', sent);
        const answer: SendJoinAnswer = {
          state: state.map(overTheWire),
          authChain: authChain.map(overTheWire),
          event: overTheWire(event),
          membersOmitted: false,
          serversInRoom: [],
        };
        return this.faults.joinAnswer?.(sent.server, answer) ?? answer;
      },
      performSendLeave: async (sent) => {
        await accept('leave', sent);
      },
      performSendKnock: async (sent) => {
        const { strippedState } = await accept('knock', sent);
        const answer = strippedState.map(overTheWire);
        return { strippedState: this.faults.knockAnswer?.(answer) ?? answer };
      },
      performOfferEvent: async ({ server, event }) => {
        const { api } = await reach('send', server);
        const transaction = {
          origin,
          transactionId: event.eventId,
          pdus: [overTheWire(event.json)],
        };
        await api.performReceivePdus(transaction);
      },
      performSendInvite: async ({ server, roomVersion, event, strippedState }) => {
        const { api } = await reach('invite', server);
        const { eventId } = event;
        const json = overTheWire(event.json);
        const roomId = (json.room_id ?? '') as RoomId;
        const given = { origin, roomId, eventId, roomVersion, event: json };
        const request = { ...given, strippedState: strippedState.map(overTheWire) };
        this.faults.invite?.(request);
        const answer = overTheWire((await api.performAcceptInvite(request)).event);
        return { event: this.faults.invited?.(answer) ?? answer };
      },
      queryRemoteAlias: async ({ alias }) => {
        const server = alias.slice(alias.indexOf(':') + 1) as ServerName;
        const { api } = await reach('alias', server);
        return api.queryAlias({ alias });
      },
    };
  }
}

interface Asked {
  readonly room: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    readonly eventId: EventId;
  };
  readonly query: NonNullable<Parameters<FederationClient['request']>[0]['query']>;
  readonly body: JsonObject;
}

async function answerOf(
  api: Neighbour['api'],
  method: string,
  { room, query, body }: Asked,
): Promise<JsonObject> {
  switch (method) {
    case 'event':
      return { pdus: [(await api.queryEventFor(room)).event] };
    case 'event_auth':
      return { auth_chain: (await api.queryEventAuthFor(room)).authChain };
    case 'state_ids': {
      const { stateIds, authChainIds } = await api.queryStateIdsFor(room);
      return { pdu_ids: stateIds, auth_chain_ids: authChainIds };
    }
    case 'state': {
      const { state, authChain } = await api.queryStateFor(room);
      return { pdus: state, auth_chain: authChain };
    }
    case 'backfill': {
      const from = query.v as EventId[];
      return {
        pdus: (await api.queryBackfillFor({ ...room, from, limit: Number(query.limit) })).events,
      };
    }
    case 'get_missing_events': {
      const { events } = await api.queryMissingEventsFor({
        ...room,
        earliest: body.earliest_events as unknown as EventId[],
        latest: body.latest_events as unknown as EventId[],
        limit: body.limit as number,
        minDepth: body.min_depth as number,
      });
      return { events };
    }
    default:
      throw new Error(`nobody answers ${method}`);
  }
}

function overTheWire<T extends JsonObject | PduJson>(json: T): T {
  return parseJsonExactly(JSON.stringify(json)) as T;
}

export function user(name: string, server: Neighbour): UserId {
  return `@${name}:${server.name}` as UserId;
}
