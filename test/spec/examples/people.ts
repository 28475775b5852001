// Profiles, presence, finding people, messages to devices.

import { type Examples, withoutToken } from './example.ts';

export const people: Examples = {
  getUserProfile: {
    success: (world) => ({ as: null, params: { userId: world.alice.userId } }),
    refusal: (world) => ({
      as: null,
      params: { userId: `@nobody:${world.server.serverName}` },
      status: 404,
      errcode: 'M_NOT_FOUND',
    }),
  },
  getProfileField: {
    success: async (world) => {
      const params = { userId: world.alice.userId, keyName: 'm.tz' };
      await world.ok('setProfileField', { params, body: { 'm.tz': 'Europe/Berlin' } });
      return { as: null, params };
    },
    refusal: (world) => ({
      as: null,
      params: { userId: world.alice.userId, keyName: 'org.example.unset' },
      status: 404,
      errcode: 'M_NOT_FOUND',
    }),
  },
  setProfileField: {
    success: (world) => ({
      params: { userId: world.alice.userId, keyName: 'org.example.colour' },
      body: { 'org.example.colour': { name: 'blue' } },
    }),
    refusal: (world) => ({
      params: { userId: world.bob.userId, keyName: 'displayname' },
      body: { displayname: 'Somebody else' },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  deleteProfileField: {
    success: (world) => ({
      params: { userId: world.alice.userId, keyName: 'org.example.colour' },
    }),
    refusal: (world) => ({
      params: { userId: world.bob.userId, keyName: 'displayname' },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  searchUserDirectory: {
    success: () => ({ body: { search_term: 'bob', limit: 5 } }),
    refusal: () => ({ body: {}, status: 400, errcode: 'M_MISSING_PARAM' }),
  },
  setPresence: {
    success: (world) => ({
      params: { userId: world.alice.userId },
      body: { presence: 'online', status_msg: 'at work' },
    }),
    refusal: (world) => ({
      params: { userId: world.bob.userId },
      body: { presence: 'online' },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  getPresence: {
    success: (world) => ({ params: { userId: world.bob.userId } }),
    refusal: async (world) => ({
      params: { userId: (await world.register('stranger')).userId },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  sendToDevice: {
    success: (world) => ({
      params: { eventType: 'org.example.ping', txnId: world.fresh('txn') },
      body: { messages: { [world.bob.userId]: { '*': { n: 1 } } } },
    }),
    refusal: (world) => ({
      params: { eventType: 'org.example.ping', txnId: world.fresh('txn') },
      body: { messages: { bob: { '*': {} } } },
      status: 400,
      errcode: 'M_INVALID_PARAM',
    }),
  },
  getPushers: { success: () => ({}), refusal: () => withoutToken() },
  postPusher: {
    success: () => ({
      body: {
        kind: 'http',
        app_id: 'org.example.app',
        app_display_name: 'An app',
        device_display_name: 'A telephone',
        pushkey: 'a key',
        lang: 'en',
        data: { url: 'https://push.example.org/_matrix/push/v1/notify' },
      },
    }),
    refusal: () => ({
      body: { kind: 'http', app_id: 'org.example.app', pushkey: 'a key' },
      status: 400,
      errcode: 'M_MISSING_PARAM',
    }),
  },
  getNotifications: { success: () => ({ query: { limit: '3' } }), refusal: () => withoutToken() },
};
