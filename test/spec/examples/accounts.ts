// The server, accounts, sessions and devices.

import { createHmac } from 'node:crypto';
import { SHARED_SECRET } from '../spec-server.ts';
import { loginBody, passwordProof, type World } from '../world.ts';
import { type Examples, withoutToken } from './example.ts';

const dummy = { type: 'm.login.dummy' };

async function sharedSecretBody(world: World): Promise<object> {
  const { nonce } = (await world.ok('getRegistrationNonce', { as: null })).body;
  const username = world.fresh('admin');
  const password = 'the administrator';
  const mac = createHmac('sha1', SHARED_SECRET)
    .update([nonce, username, password, 'notadmin'].join('\0'))
    .digest('hex');
  return { nonce, username, password, admin: false, mac };
}

export const accounts: Examples = {
  getVersions: { success: () => ({ as: null }) },
  getWellknown: { success: () => ({ as: null }) },
  getWellknownPolicy: { success: () => ({ as: null }) },
  getLoginFlows: { success: () => ({ as: null }) },
  getCapabilities: { success: () => ({}), refusal: () => withoutToken() },
  getTurnServer: { success: () => ({}), refusal: () => withoutToken() },
  register: {
    success: (world) => ({
      as: null,
      body: { username: world.fresh('user'), password: 'long enough', auth: dummy },
    }),
    refusal: () => ({ as: null, body: {}, status: 401 }),
  },
  checkUsernameAvailability: {
    success: (world) => ({ as: null, query: { username: world.fresh('free') } }),
    refusal: (world) => ({
      as: null,
      query: { username: world.alice.userId.slice(1).split(':')[0] ?? '' },
      status: 400,
      errcode: 'M_USER_IN_USE',
    }),
  },
  login: {
    success: (world) => ({ as: null, body: loginBody(world.bob) }),
    refusal: (world) => ({
      as: null,
      body: { ...loginBody(world.bob), password: 'not his' },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  generateLoginToken: {
    success: (world) => ({ body: { auth: passwordProof(world.alice) } }),
    refusal: () => ({ body: {}, status: 401 }),
  },
  refresh: {
    success: async (world) => {
      const body = { ...loginBody(world.bob), refresh_token: true };
      const { refresh_token } = (await world.ok('login', { as: null, body })).body;
      return { as: null, body: { refresh_token } };
    },
    refusal: () => ({
      as: null,
      body: { refresh_token: 'made up' },
      status: 401,
      errcode: 'M_UNKNOWN_TOKEN',
    }),
  },
  logout: {
    success: async (world) => ({ as: await world.login(world.bob) }),
    refusal: () => withoutToken(),
  },
  logout_all: {
    success: async (world) => ({ as: await world.register('leaver') }),
    refusal: () => withoutToken(),
  },
  getTokenOwner: { success: () => ({}), refusal: () => withoutToken() },
  changePassword: {
    success: async (world) => {
      const user = await world.register('changer');
      return { as: user, body: { new_password: 'another one', auth: passwordProof(user) } };
    },
    refusal: (world) => ({
      body: { new_password: 'another one', auth: passwordProof(world.alice, 'not hers') },
      status: 401,
      errcode: 'M_FORBIDDEN',
    }),
  },
  deactivateAccount: {
    success: async (world) => {
      const user = await world.register('quitter');
      return { as: user, body: { auth: passwordProof(user), erase: true } };
    },
    refusal: () => ({ body: {}, status: 401 }),
  },
  getAccount3PIDs: { success: () => ({}), refusal: () => withoutToken() },
  requestOpenIdToken: {
    success: (world) => ({ params: { userId: world.alice.userId }, body: {} }),
    refusal: (world) => ({
      params: { userId: world.bob.userId },
      body: {},
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  getDevices: { success: () => ({}), refusal: () => withoutToken() },
  getDevice: {
    success: (world) => ({ params: { deviceId: world.alice.deviceId } }),
    refusal: () => ({ params: { deviceId: 'NOBODYS' }, status: 404, errcode: 'M_NOT_FOUND' }),
  },
  updateDevice: {
    success: (world) => ({
      params: { deviceId: world.alice.deviceId },
      body: { display_name: 'Telephone' },
    }),
    refusal: () => ({
      params: { deviceId: 'NOBODYS' },
      body: { display_name: 'Telephone' },
      status: 404,
      errcode: 'M_NOT_FOUND',
    }),
  },
  deleteDevice: {
    success: async (world) => ({
      params: { deviceId: (await world.login(world.alice)).deviceId },
      body: { auth: passwordProof(world.alice) },
    }),
    refusal: (world) => ({ params: { deviceId: world.alice.deviceId }, body: {}, status: 401 }),
  },
  deleteDevices: {
    success: async (world) => ({
      body: {
        devices: [(await world.login(world.alice)).deviceId],
        auth: passwordProof(world.alice),
      },
    }),
    refusal: (world) => ({ body: { devices: [world.alice.deviceId] }, status: 401 }),
  },
  getRegistrationNonce: { success: () => ({ as: null }) },
  registerBySharedSecret: {
    success: async (world) => ({ as: null, body: await sharedSecretBody(world) }),
    refusal: async (world) => ({
      as: null,
      body: { ...(await sharedSecretBody(world)), mac: '00'.repeat(20) },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
};
