// The operations of the Server-Server API by two examples each: a call that succeeds, and one that is refused.

import type { PduJson } from '../../../src/protocol/events/pdu.ts';
import { contentHashOf } from '../../../src/protocol/hashing.ts';
import type { JsonObject } from '../../../src/protocol/json.ts';
import { signPdu } from '../../../src/protocol/signing.ts';
import type { FederationCall, FederationWorld } from './world.ts';

interface RefusedCall extends FederationCall {
  readonly status: number;
  readonly errcode: string;
}

export interface FederationExample {
  success(world: FederationWorld): FederationCall | Promise<FederationCall>;
  /** Absent where no call can be refused that reaches the endpoint. */
  refusal?(world: FederationWorld): RefusedCall | Promise<RefusedCall>;
}

const NOWHERE = '!none:nowhere.invalid';

const notFound = (call: FederationCall): RefusedCall => ({
  ...call,
  status: 404,
  errcode: 'M_NOT_FOUND',
});

const unsigned = (call: FederationCall): RefusedCall => ({
  ...call,
  signed: false,
  status: 401,
  errcode: 'M_UNAUTHORIZED',
});

/** Of a room in general, and of one that is not here. */
const ofRoom = (more: (world: FederationWorld) => Omit<FederationCall, 'params'>) => ({
  success: (world: FederationWorld) => ({ params: { roomId: world.roomId }, ...more(world) }),
  refusal: (world: FederationWorld) => notFound({ params: { roomId: NOWHERE }, ...more(world) }),
});

const servers: Readonly<Record<string, FederationExample>> = {
  getVersion: { success: () => ({ signed: false }) },
  getWellKnown: { success: () => ({ signed: false }) },
  getServerKey: { success: () => ({ signed: false }) },
  perspectivesKeyQuery: {
    success: ({ other }) => ({ params: { serverName: other.name }, signed: false }),
    refusal: () => ({
      params: { serverName: 'no server' },
      signed: false,
      status: 400,
      errcode: 'M_INVALID_PARAM',
    }),
  },
  bulkPerspectivesKeyQuery: {
    success: ({ other }) => ({ body: { server_keys: { [other.name]: {} } }, signed: false }),
    refusal: () => ({ body: {}, signed: false, status: 400, errcode: 'M_MISSING_PARAM' }),
  },
  sendTransaction: {
    success: (world) => ({
      params: { txnId: world.fresh('t') },
      body: { origin: world.other.name, origin_server_ts: world.other.now(), pdus: [], edus: [] },
    }),
    refusal: (world) => unsigned({ params: { txnId: world.fresh('t') }, body: { pdus: [] } }),
  },
};

const ver = { query: { ver: ['10', '11', '12'] } };

const handshakes: Readonly<Record<string, FederationExample>> = {
  makeJoin: {
    success: (world) => ({ params: { roomId: world.roomId, userId: world.user() }, ...ver }),
    refusal: (world) => ({
      params: { roomId: world.roomId, userId: world.user() },
      query: { ver: '1' },
      status: 400,
      errcode: 'M_INCOMPATIBLE_ROOM_VERSION',
    }),
  },
  sendJoinV2: {
    success: (world) => world.handshake('makeJoin', world.roomId, world.user()),
    refusal: async (world) => {
      const { params, body } = await world.handshake('makeJoin', world.roomId, world.user());
      const changed = { ...body, content: { membership: 'join', changed: true } } as JsonObject;
      return { params, body: changed, status: 400, errcode: 'M_INVALID_PARAM' };
    },
  },
  makeLeave: {
    success: (world) => ({ params: { roomId: world.roomId, userId: world.other.user('eve') } }),
    refusal: (world) => ({
      params: { roomId: world.roomId, userId: world.alice.userId },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  sendLeaveV2: {
    success: async (world) => {
      const userId = world.user();
      const join = await world.handshake('makeJoin', world.roomId, userId);
      await world.call('sendJoinV2', join);
      return await world.handshake('makeLeave', world.roomId, userId);
    },
    refusal: async (world) => {
      const { params, body } = await world.handshake('makeJoin', world.roomId, world.user());
      return { params, body, status: 400, errcode: 'M_INVALID_PARAM' };
    },
  },
  makeKnock: {
    success: async (world) => ({
      params: { roomId: await world.knockable(), userId: world.user() },
      ...ver,
    }),
    refusal: (world) => ({
      params: { roomId: world.roomId, userId: world.user() },
      ...ver,
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  sendKnock: {
    success: async (world) => world.handshake('makeKnock', await world.knockable(), world.user()),
    refusal: async (world) => {
      const knock = await world.handshake('makeKnock', await world.knockable(), world.user());
      return notFound({ ...knock, params: { ...knock.params, roomId: NOWHERE } });
    },
  },
  sendInviteV1: {
    success: (world) => {
      const { roomId, eventId, event } = inviteOf(world, '1');
      return { params: { roomId, eventId }, body: event };
    },
    refusal: (world) => {
      const { roomId, eventId, event } = inviteOf(world, '1', '@nobody:nowhere.invalid');
      return { params: { roomId, eventId }, body: event, status: 400, errcode: 'M_INVALID_PARAM' };
    },
  },
  sendInviteV2: {
    success: (world) => {
      const { roomId, eventId, event } = inviteOf(world, '11');
      const body = { room_version: '11', event, invite_room_state: [] };
      return { params: { roomId, eventId }, body };
    },
    refusal: (world) => {
      const { roomId, eventId, event } = inviteOf(world, '11');
      return {
        params: { roomId, eventId },
        body: { room_version: 'unknown', event, invite_room_state: [] },
        status: 400,
        errcode: 'M_INCOMPATIBLE_ROOM_VERSION',
      };
    },
  },
};

/** Into a new room of the other server. The schema wants the `origin` that events had once. */
function inviteOf(world: FederationWorld, version: '1' | '11', target = world.alice.userId) {
  const room = world.other.createRoom(version);
  const sender = world.other.user('eve');
  const content = { membership: 'invite' };
  const built = room.build({ type: 'm.room.member', sender, stateKey: target, content });
  const { signatures: _, ...json } = { ...built.json, origin: world.other.name };
  const hashes = { sha256: contentHashOf(json as PduJson, room.rules) };
  const by = { serverName: world.other.name, key: world.other.signingKey };
  const event = signPdu({ ...json, hashes } as PduJson, room.rules, by);
  return { roomId: room.roomId, eventId: room.pduOf(event).eventId, event };
}

const history: Readonly<Record<string, FederationExample>> = {
  getEvent: {
    success: ({ eventId }) => ({ params: { eventId } }),
    refusal: () => notFound({ params: { eventId: '$none' } }),
  },
  getEventAuth: {
    success: ({ roomId, eventId }) => ({ params: { roomId, eventId } }),
    refusal: ({ eventId }) => notFound({ params: { roomId: NOWHERE, eventId } }),
  },
  getRoomState: ofRoom(({ eventId }) => ({ query: { event_id: eventId } })),
  getRoomStateIds: ofRoom(({ eventId }) => ({ query: { event_id: eventId } })),
  backfillRoom: ofRoom(({ eventId }) => ({ query: { v: eventId, limit: '3' } })),
  getMissingPreviousEvents: ofRoom(({ eventId }) => ({
    body: { earliest_events: [], latest_events: [eventId], limit: 3 },
  })),
  getEventByTimestamp: ofRoom(() => ({ query: { ts: '0', dir: 'f' } })),
  getSpaceHierarchy: ofRoom(() => ({})),
};

const people: Readonly<Record<string, FederationExample>> = {
  queryProfile: {
    success: ({ alice }) => ({ query: { user_id: alice.userId } }),
    refusal: ({ serverName }) => notFound({ query: { user_id: `@nobody:${serverName}` } }),
  },
  queryRoomDirectory: {
    success: ({ serverName }) => ({ query: { room_alias: `#room:${serverName}` } }),
    refusal: ({ serverName }) => notFound({ query: { room_alias: `#none:${serverName}` } }),
  },
  getUserDevices: {
    success: ({ alice }) => ({ params: { userId: alice.userId } }),
    refusal: ({ alice }) => unsigned({ params: { userId: alice.userId } }),
  },
  queryUserEncryptionKeys: {
    success: ({ alice }) => ({ body: { device_keys: { [alice.userId]: [] } } }),
    refusal: () => ({ body: {}, status: 400, errcode: 'M_MISSING_PARAM' }),
  },
  claimUserEncryptionKeys: {
    success: ({ alice: { userId, deviceId } }) => ({
      body: { one_time_keys: { [userId]: { [deviceId]: 'signed_curve25519' } } },
    }),
    refusal: () => ({ body: {}, status: 400, errcode: 'M_MISSING_PARAM' }),
  },
  exchangeOpenIdToken: {
    success: async ({ alice }) => {
      const path = `/v3/user/${encodeURIComponent(alice.userId)}/openid/request_token`;
      const { access_token: token } = await alice.ok('POST', path, {});
      return { query: { access_token: token }, signed: false };
    },
    refusal: () => ({
      query: { access_token: 'none' },
      signed: false,
      status: 401,
      errcode: 'M_UNKNOWN_TOKEN',
    }),
  },
};

const finding: Readonly<Record<string, FederationExample>> = {
  getPublicRooms: {
    success: () => ({ query: { limit: '5' } }),
    refusal: () => ({ query: { since: 'none' }, status: 400, errcode: 'M_INVALID_PARAM' }),
  },
  queryPublicRooms: {
    success: () => ({ body: { limit: 5, filter: { generic_search_term: 'room' } } }),
    refusal: () => ({ body: { limit: -1 }, status: 400, errcode: 'M_BAD_JSON' }),
  },
  getContent: {
    success: async (world) => ({ params: { mediaId: await world.upload() } }),
    refusal: () => notFound({ params: { mediaId: 'none' } }),
  },
  getContentThumbnail: {
    success: async (world) => ({
      params: { mediaId: await world.upload() },
      query: { width: '1', height: '1' },
    }),
    refusal: () => notFound({ params: { mediaId: 'none' }, query: { width: '1', height: '1' } }),
  },
};

/** By topic, and within it by operationId. */
export const FEDERATION_EXAMPLES = { servers, handshakes, history, people, finding };
