// Backups of room keys.

import type { World } from '../world.ts';
import { type Examples, withoutToken } from './example.ts';

const info = {
  algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2',
  auth_data: { public_key: 'abcdefg' },
};
const key = {
  first_message_index: 1,
  forwarded_count: 0,
  is_verified: true,
  session_data: { ephemeral: 'key', ciphertext: 'text', mac: 'code' },
};
const room = { sessions: { session: key } };

async function version(world: World): Promise<string> {
  return (await world.ok('postRoomKeysVersion', { body: info })).body.version;
}

/** A backup with a key in it. */
async function filled(world: World) {
  const call = { query: { version: await version(world) } };
  const params = { roomId: world.room, sessionId: 'session' };
  await world.ok('putRoomKeyBySessionId', { ...call, params, body: key });
  return { ...call, params };
}

const noBackup = { query: { version: 'none' }, status: 404, errcode: 'M_NOT_FOUND' };

export const backups: Examples = {
  postRoomKeysVersion: {
    success: () => ({ body: info }),
    refusal: () => ({ body: {}, status: 400, errcode: 'M_MISSING_PARAM' }),
  },
  getRoomKeysVersionCurrent: {
    success: async (world) => {
      await version(world);
      return {};
    },
    refusal: async (world) => ({
      as: await world.register('careless'),
      status: 404,
      errcode: 'M_NOT_FOUND',
    }),
  },
  getRoomKeysVersion: {
    success: async (world) => ({ params: { version: await version(world) } }),
    refusal: () => ({ params: { version: 'none' }, status: 404, errcode: 'M_NOT_FOUND' }),
  },
  putRoomKeysVersion: {
    success: async (world) => ({ params: { version: await version(world) }, body: info }),
    refusal: async (world) => ({
      params: { version: await version(world) },
      body: { ...info, version: 'other' },
      status: 400,
      errcode: 'M_INVALID_PARAM',
    }),
  },
  deleteRoomKeysVersion: {
    success: async (world) => ({ params: { version: await version(world) } }),
    refusal: () => ({ params: { version: 'none' }, status: 404, errcode: 'M_NOT_FOUND' }),
  },
  putRoomKeyBySessionId: {
    success: async (world) => ({ ...(await filled(world)), body: key }),
    refusal: async (world) => ({
      params: (await filled(world)).params,
      query: { version: 'none' },
      body: key,
      status: 403,
      errcode: 'M_WRONG_ROOM_KEYS_VERSION',
    }),
  },
  getRoomKeyBySessionId: {
    success: filled,
    refusal: async (world) => {
      const { query } = await filled(world);
      const params = { roomId: world.room, sessionId: 'none' };
      return { query, params, status: 404, errcode: 'M_NOT_FOUND' };
    },
  },
  deleteRoomKeyBySessionId: {
    success: filled,
    refusal: (world) => ({ ...noBackup, params: { roomId: world.room, sessionId: 'session' } }),
  },
  putRoomKeysByRoomId: {
    success: async (world) => {
      const { query } = await filled(world);
      return { query, params: { roomId: world.room }, body: room };
    },
    refusal: (world) => withoutToken({ params: { roomId: world.room }, body: room }),
  },
  getRoomKeysByRoomId: {
    success: async (world) => {
      const { query } = await filled(world);
      return { query, params: { roomId: world.room } };
    },
    refusal: (world) => ({ ...noBackup, params: { roomId: world.room } }),
  },
  deleteRoomKeysByRoomId: {
    success: async (world) => {
      const { query } = await filled(world);
      return { query, params: { roomId: world.room } };
    },
    refusal: (world) => ({ ...noBackup, params: { roomId: world.room } }),
  },
  putRoomKeys: {
    success: async (world) => {
      const { query } = await filled(world);
      return { query, body: { rooms: { [world.room]: room } } };
    },
    refusal: () => ({ body: { rooms: {} }, status: 400, errcode: 'M_MISSING_PARAM' }),
  },
  getRoomKeys: {
    success: async (world) => ({ query: (await filled(world)).query }),
    refusal: () => noBackup,
  },
  deleteRoomKeys: {
    success: async (world) => ({ query: (await filled(world)).query }),
    refusal: () => noBackup,
  },
};
