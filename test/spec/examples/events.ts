// Sending and reading events, following what happens, peeking.

import { textMessage, type World } from '../world.ts';
import { type Examples, type Refused, withoutToken } from './example.ts';

const NO_ROOM = '!none:keyhole.test';

async function message(world: World): Promise<{ roomId: string; eventId: string }> {
  return { roomId: world.room, eventId: await world.send() };
}

/** An event that nobody has sent. */
function noEvent(world: World): Refused {
  const params = { roomId: world.room, eventId: '$none' };
  return { params, status: 404, errcode: 'M_NOT_FOUND' };
}

async function child(world: World): Promise<{ roomId: string; eventId: string }> {
  const { roomId, eventId } = await message(world);
  const relation = { rel_type: 'm.reference', event_id: eventId };
  await world.send(roomId, { ...textMessage(), 'm.relates_to': relation });
  return { roomId, eventId };
}

/** Bob is not in the room. */
async function outsider(world: World): Promise<Refused> {
  const params = { roomId: await world.createRoom() };
  return { as: world.bob, params, status: 403, errcode: 'M_FORBIDDEN' };
}

export const events: Examples = {
  sendMessage: {
    success: (world) => ({
      params: { roomId: world.room, eventType: 'm.room.message', txnId: world.fresh('txn') },
      body: textMessage(),
    }),
    refusal: async (world) => {
      const target = (await message(world)).eventId;
      const body = { 'm.relates_to': { rel_type: 'm.annotation', event_id: target, key: '+' } };
      const params = { roomId: world.room, eventType: 'm.reaction' };
      await world.ok('sendMessage', { params: { ...params, txnId: world.fresh('txn') }, body });
      return {
        params: { ...params, txnId: world.fresh('txn') },
        body,
        status: 400,
        errcode: 'M_DUPLICATE_ANNOTATION',
      };
    },
  },
  sendMessageOnce: {
    success: (world) => ({
      params: { roomId: world.room, eventType: 'm.room.message' },
      body: textMessage(),
    }),
    refusal: async (world) => {
      const { params, ...refused } = await outsider(world);
      return { ...refused, params: { ...params, eventType: 'm.test' }, body: {} };
    },
  },
  setRoomStateWithKey: {
    success: (world) => ({
      params: { roomId: world.room, eventType: 'org.example.state', stateKey: 'a key' },
      body: { value: world.fresh('v') },
    }),
    refusal: (world) => ({
      params: { roomId: world.room, eventType: 'm.room.canonical_alias', stateKey: '' },
      body: { alias: world.alias('none') },
      status: 400,
      errcode: 'M_BAD_ALIAS',
    }),
  },
  redactEvent: {
    success: async (world) => ({
      params: { ...(await message(world)), txnId: world.fresh('txn') },
      body: { reason: 'a mistake' },
    }),
    refusal: async (world) => ({
      as: world.bob,
      params: { ...(await message(world)), txnId: world.fresh('txn') },
      body: {},
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  redactEventOnce: {
    success: async (world) => ({ params: await message(world), body: { reason: 'a mistake' } }),
    refusal: async (world) => ({
      as: world.bob,
      params: await message(world),
      body: {},
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  getRoomState: { success: (world) => ({ params: { roomId: world.room } }), refusal: outsider },
  getRoomStateWithKey: {
    success: (world) => ({
      params: { roomId: world.room, eventType: 'm.room.create', stateKey: '' },
      query: { format: 'event' },
    }),
    refusal: (world) => ({
      params: { roomId: world.room, eventType: 'org.example.unset', stateKey: '' },
      status: 404,
      errcode: 'M_NOT_FOUND',
    }),
  },
  getOneRoomEvent: {
    success: async (world) => ({ params: await message(world) }),
    refusal: noEvent,
  },
  getOneEvent: {
    success: async (world) => ({ params: { eventId: (await message(world)).eventId } }),
    refusal: noEvent,
  },
  getEventContext: {
    success: async (world) => ({
      params: await message(world),
      query: { limit: '4', filter: '{"lazy_load_members":true}' },
    }),
    refusal: noEvent,
  },
  getRoomEvents: {
    success: (world) => ({ params: { roomId: world.room }, query: { dir: 'b', limit: '5' } }),
    refusal: async (world) => ({ ...(await outsider(world)), query: { dir: 'b' } }),
  },
  getRelatingEvents: {
    success: async (world) => ({ params: await child(world) }),
    refusal: noEvent,
  },
  getRelatingEventsWithRelType: {
    success: async (world) => ({ params: { ...(await child(world)), relType: 'm.reference' } }),
    refusal: (world) => {
      const refused = noEvent(world);
      return { ...refused, params: { ...refused.params, relType: 'm.reference' } };
    },
  },
  getRelatingEventsWithRelTypeAndEventType: {
    success: async (world) => ({
      params: { ...(await child(world)), relType: 'm.reference', eventType: 'm.room.message' },
    }),
    refusal: (world) => {
      const refused = noEvent(world);
      const params = { relType: 'm.reference', eventType: 'm.room.message', ...refused.params };
      return { ...refused, params };
    },
  },
};

export const following: Examples = {
  sync: {
    success: () => ({ query: { filter: '{"room":{"timeline":{"limit":3}}}' } }),
    refusal: () => ({ query: { filter: 'none such' }, status: 400, errcode: 'M_INVALID_PARAM' }),
  },
  initialSync: { success: () => ({ query: { limit: '2' } }), refusal: () => withoutToken() },
  roomInitialSync: {
    success: (world) => ({ as: world.guest, params: { roomId: world.openRoom } }),
    refusal: outsider,
  },
  peekEvents: {
    success: (world) => ({ as: world.guest, query: { room_id: world.openRoom, timeout: '0' } }),
    refusal: (world) => ({
      as: world.guest,
      status: 403,
      errcode: 'M_GUEST_ACCESS_FORBIDDEN',
    }),
  },
  getEvents: {
    success: () => ({ query: { timeout: '0' } }),
    refusal: () => ({ query: { from: 'not ours' }, status: 400, errcode: 'M_INVALID_PARAM' }),
  },
  peekRoom: {
    success: (world) => ({
      as: world.bob,
      params: { roomIdOrAlias: world.openRoom },
      body: { servers: [world.server.serverName] },
    }),
    refusal: (world) => ({
      params: { roomIdOrAlias: world.openRoom },
      body: {},
      status: 400,
      errcode: 'M_BAD_STATE',
    }),
  },
  unpeekRoom: {
    success: async (world) => {
      const as = await world.login(world.bob);
      await world.ok('peekRoom', { as, params: { roomIdOrAlias: world.openRoom }, body: {} });
      return { as, params: { roomId: world.openRoom } };
    },
    refusal: () => ({ params: { roomId: NO_ROOM }, status: 400, errcode: 'M_BAD_STATE' }),
  },
  defineFilter: {
    success: (world) => ({
      params: { userId: world.alice.userId },
      body: { room: { timeline: { limit: 3 } }, event_fields: ['content.body'] },
    }),
    refusal: (world) => ({
      params: { userId: world.alice.userId },
      body: { room: { timeline: { limit: 'three' } } },
      status: 400,
      errcode: 'M_BAD_JSON',
    }),
  },
  getFilter: {
    success: async (world) => {
      const params = { userId: world.alice.userId };
      const { filter_id } = (await world.ok('defineFilter', { params, body: {} })).body;
      return { params: { ...params, filterId: filter_id } };
    },
    refusal: (world) => ({
      params: { userId: world.alice.userId, filterId: 'none' },
      status: 404,
      errcode: 'M_NOT_FOUND',
    }),
  },
};
