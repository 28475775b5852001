// Rooms: making them, who is in them, finding them.

import type { World } from '../world.ts';
import { type Examples, type Refused, withoutToken } from './example.ts';

async function privateRoom(world: World): Promise<string> {
  return await world.createRoom({ preset: 'private_chat' });
}

async function newMember(world: World, roomId: string): Promise<string> {
  const member = await world.register('member');
  await world.ok('joinRoom', { as: member, params: { roomIdOrAlias: roomId } });
  return member.userId;
}

/** Bob has no power in alice's room. */
function powerless(world: World): Refused {
  return {
    as: world.bob,
    params: { roomId: world.room },
    body: { user_id: world.alice.userId },
    status: 403,
    errcode: 'M_FORBIDDEN',
  };
}

export const rooms: Examples = {
  createRoom: {
    success: (world) => ({
      body: {
        name: 'A room',
        topic: 'Things',
        visibility: 'public',
        room_alias_name: world.fresh('alias'),
        invite: [world.bob.userId],
        initial_state: [{ type: 'org.example.state', content: { a: 1 } }],
        power_level_content_override: { events_default: 10 },
      },
    }),
    refusal: () => ({
      body: { room_version: 'none such' },
      status: 400,
      errcode: 'M_UNSUPPORTED_ROOM_VERSION',
    }),
  },
  joinRoom: {
    success: (world) => ({ as: world.bob, params: { roomIdOrAlias: world.room }, body: {} }),
    refusal: async (world) => ({
      as: world.bob,
      params: { roomIdOrAlias: await privateRoom(world) },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  joinRoomById: {
    success: (world) => ({ as: world.bob, params: { roomId: world.room }, body: {} }),
    refusal: async (world) => ({
      as: world.bob,
      params: { roomId: await privateRoom(world) },
      body: {},
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  knockRoom: {
    success: async (world) => {
      const joinRules = { type: 'm.room.join_rules', content: { join_rule: 'knock' } };
      const roomId = await world.createRoom({ initial_state: [joinRules] });
      return { as: world.bob, params: { roomIdOrAlias: roomId }, body: { reason: 'please' } };
    },
    refusal: async (world) => ({
      as: world.bob,
      params: { roomIdOrAlias: await privateRoom(world) },
      body: {},
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  inviteUser: {
    success: async (world) => ({
      params: { roomId: await privateRoom(world) },
      body: { user_id: world.bob.userId, reason: 'come' },
    }),
    refusal: (world) => ({
      params: { roomId: world.room },
      body: { user_id: world.bob.userId },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  inviteBy3PID: {
    refusal: (world) => ({
      params: { roomId: world.room },
      body: {
        id_server: 'id.example.org',
        id_access_token: 'a token',
        medium: 'email',
        address: 'a@example.org',
      },
      status: 403,
      errcode: 'M_THREEPID_DENIED',
    }),
  },
  leaveRoom: {
    success: async (world) => ({
      params: { roomId: await privateRoom(world) },
      body: { reason: 'enough' },
    }),
    refusal: async (world) => ({
      as: world.bob,
      params: { roomId: await privateRoom(world) },
      body: {},
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  kick: {
    success: async (world) => ({
      params: { roomId: world.room },
      body: { user_id: await newMember(world, world.room), reason: 'no' },
    }),
    refusal: powerless,
  },
  ban: {
    success: async (world) => ({
      params: { roomId: world.room },
      body: { user_id: await newMember(world, world.room) },
    }),
    refusal: powerless,
  },
  unban: {
    success: async (world) => {
      const params = { roomId: world.room };
      const body = { user_id: (await world.register('banned')).userId };
      await world.ok('ban', { params, body });
      return { params, body };
    },
    refusal: powerless,
  },
  forgetRoom: {
    success: async (world) => {
      const params = { roomId: await privateRoom(world) };
      await world.ok('leaveRoom', { params });
      return { params };
    },
    refusal: (world) => ({ params: { roomId: world.room }, status: 400, errcode: 'M_UNKNOWN' }),
  },
  getJoinedRooms: { success: () => ({}), refusal: () => withoutToken() },
  getMembersByRoom: {
    success: (world) => ({ params: { roomId: world.room }, query: { membership: 'join' } }),
    refusal: async (world) => ({
      as: world.bob,
      params: { roomId: await privateRoom(world) },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  getJoinedMembersByRoom: {
    success: (world) => ({ params: { roomId: world.room } }),
    refusal: async (world) => ({
      as: world.bob,
      params: { roomId: await privateRoom(world) },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
};

async function aliased(world: World): Promise<string> {
  const roomAlias = world.alias(world.fresh('alias'));
  await world.ok('setRoomAlias', { params: { roomAlias }, body: { room_id: world.room } });
  return roomAlias;
}

export const directory: Examples = {
  setRoomAlias: {
    success: (world) => ({
      params: { roomAlias: world.alias(world.fresh('alias')) },
      body: { room_id: world.room },
    }),
    refusal: async (world) => ({
      params: { roomAlias: await aliased(world) },
      body: { room_id: world.room },
      status: 409,
      errcode: 'M_ROOM_IN_USE',
    }),
  },
  getRoomIdByAlias: {
    success: async (world) => ({ as: null, params: { roomAlias: await aliased(world) } }),
    refusal: (world) => ({
      as: null,
      params: { roomAlias: world.alias('none') },
      status: 404,
      errcode: 'M_NOT_FOUND',
    }),
  },
  deleteRoomAlias: {
    success: async (world) => ({ params: { roomAlias: await aliased(world) } }),
    refusal: (world) => ({
      params: { roomAlias: world.alias('none') },
      status: 404,
      errcode: 'M_NOT_FOUND',
    }),
  },
  getLocalAliases: {
    success: async (world) => {
      await aliased(world);
      return { params: { roomId: world.room } };
    },
    refusal: async (world) => ({
      as: world.bob,
      params: { roomId: await privateRoom(world) },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  getRoomVisibilityOnDirectory: {
    success: (world) => ({ as: null, params: { roomId: world.room } }),
    refusal: () => ({
      as: null,
      params: { roomId: '!none:keyhole.test' },
      status: 404,
      errcode: 'M_NOT_FOUND',
    }),
  },
  setRoomVisibilityOnDirectory: {
    success: (world) => ({ params: { roomId: world.room }, body: { visibility: 'public' } }),
    refusal: () => ({
      params: { roomId: '!none:keyhole.test' },
      body: { visibility: 'public' },
      status: 404,
      errcode: 'M_NOT_FOUND',
    }),
  },
  getPublicRooms: {
    success: () => ({ as: null, query: { limit: '5' } }),
    refusal: () => ({
      query: { server: 'no server' },
      status: 400,
      errcode: 'M_INVALID_PARAM',
    }),
  },
  queryPublicRooms: {
    success: () => ({
      body: { limit: 5, filter: { generic_search_term: 'room', room_types: [null] } },
    }),
    refusal: () => withoutToken({ body: {} }),
  },
  getSpaceHierarchy: {
    success: async (world) => {
      const space = await world.createRoom({ creation_content: { type: 'm.space' } });
      const params = { roomId: space, eventType: 'm.space.child', stateKey: world.room };
      await world.ok('setRoomStateWithKey', { params, body: { via: ['keyhole.test'] } });
      return { params: { roomId: space }, query: { limit: '1', max_depth: '1' } };
    },
    refusal: async (world) => ({
      as: world.bob,
      params: { roomId: await world.createRoom() },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  getRoomSummary: {
    success: (world) => ({ as: world.bob, params: { roomIdOrAlias: world.room } }),
    refusal: () => ({
      params: { roomIdOrAlias: '!none:keyhole.test' },
      status: 404,
      errcode: 'M_NOT_FOUND',
    }),
  },
  upgradeRoom: {
    success: async (world) => ({
      params: { roomId: await world.createRoom() },
      body: { new_version: '11', additional_creators: [world.bob.userId] },
    }),
    refusal: (world) => ({
      params: { roomId: world.room },
      body: { new_version: 'none' },
      status: 400,
      errcode: 'M_UNSUPPORTED_ROOM_VERSION',
    }),
  },
};
