// Typing, receipts, account data, tags and push rules.

import type { World } from '../world.ts';
import type { Example, Examples, Refused } from './example.ts';

const RULE = { kind: 'content', ruleId: 'org.example.rule' };
const DEFAULT_RULE = { kind: 'override', ruleId: '.m.rule.master' };
const NO_RULE = { kind: 'content', ruleId: 'org.example.none' };

const noRule: Refused = { params: NO_RULE, status: 404, errcode: 'M_NOT_FOUND' };

export const markers: Examples = {
  setTyping: {
    success: (world) => ({
      params: { roomId: world.room, userId: world.alice.userId },
      body: { typing: true, timeout: 1000 },
    }),
    refusal: (world) => ({
      params: { roomId: world.room, userId: world.bob.userId },
      body: { typing: false },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  postReceipt: {
    success: async (world) => ({
      params: { roomId: world.room, receiptType: 'm.read', eventId: await world.send() },
      body: { thread_id: 'main' },
    }),
    refusal: async (world) => ({
      params: { roomId: world.room, receiptType: 'm.read', eventId: await world.send() },
      body: { thread_id: '' },
      status: 400,
      errcode: 'M_INVALID_PARAM',
    }),
  },
  setReadMarker: {
    success: async (world) => {
      const eventId = await world.send();
      const body = { 'm.fully_read': eventId, 'm.read': eventId, 'm.read.private': eventId };
      return { params: { roomId: world.room }, body };
    },
    refusal: (world) => ({
      params: { roomId: world.room },
      body: { 'm.fully_read': '$none' },
      status: 404,
      errcode: 'M_NOT_FOUND',
    }),
  },
};

function ofUser(world: World, type: string): Record<string, string> {
  return { userId: world.alice.userId, type };
}

function ofRoom(world: World, type: string): Record<string, string> {
  return { userId: world.alice.userId, roomId: world.room, type };
}

function setter(paramsOf: (world: World, type: string) => Record<string, string>): Example {
  return {
    success: (world) => ({ params: paramsOf(world, 'org.example.data'), body: { a: 1 } }),
    refusal: (world) => ({
      params: paramsOf(world, 'm.fully_read'),
      body: {},
      status: 405,
      errcode: 'M_BAD_JSON',
    }),
  };
}

function getter(
  operation: string,
  paramsOf: (world: World, type: string) => Record<string, string>,
): Example {
  return {
    success: async (world) => {
      const params = paramsOf(world, 'org.example.data');
      await world.ok(operation, { params, body: { a: 1 } });
      return { params };
    },
    refusal: (world) => ({
      params: paramsOf(world, 'org.example.unset'),
      status: 404,
      errcode: 'M_NOT_FOUND',
    }),
  };
}

export const accountData: Examples = {
  setAccountData: setter(ofUser),
  getAccountData: getter('setAccountData', ofUser),
  setAccountDataPerRoom: setter(ofRoom),
  getAccountDataPerRoom: getter('setAccountDataPerRoom', ofRoom),
  setRoomTag: {
    success: (world) => ({
      params: { userId: world.alice.userId, roomId: world.room, tag: 'u.work' },
      body: { order: 0.5 },
    }),
    refusal: (world) => ({
      params: { userId: world.alice.userId, roomId: world.room, tag: 'u.work' },
      body: { order: 'first' },
      status: 400,
      errcode: 'M_BAD_JSON',
    }),
  },
  getRoomTags: {
    success: (world) => ({ params: { userId: world.alice.userId, roomId: world.room } }),
    refusal: (world) => ({
      params: { userId: world.bob.userId, roomId: world.room },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
  deleteRoomTag: {
    success: (world) => ({
      params: { userId: world.alice.userId, roomId: world.room, tag: 'u.work' },
    }),
    refusal: (world) => ({
      params: { userId: world.bob.userId, roomId: world.room, tag: 'u.work' },
      status: 403,
      errcode: 'M_FORBIDDEN',
    }),
  },
};

async function ownRule(world: World): Promise<Record<string, string>> {
  const params = { kind: 'content', ruleId: world.fresh('org.example.rule') };
  await world.ok('setPushRule', { params, body: { actions: ['notify'], pattern: 'cake' } });
  return params;
}

const badAuth = (): Refused => ({ as: null, status: 401, errcode: 'M_MISSING_TOKEN' });

export const pushRules: Examples = {
  getPushRules: { success: () => ({}), refusal: badAuth },
  getPushRulesGlobal: { success: () => ({}), refusal: badAuth },
  getPushRulesOfKind: {
    success: () => ({ params: { kind: 'override' } }),
    refusal: () => ({ params: { kind: 'none' }, status: 400, errcode: 'M_INVALID_PARAM' }),
  },
  getPushRule: { success: () => ({ params: DEFAULT_RULE }), refusal: () => noRule },
  setPushRule: {
    success: () => ({ params: RULE, body: { actions: ['notify'], pattern: 'cake' } }),
    refusal: () => ({
      params: { kind: 'content', ruleId: '.m.rule.mine' },
      body: { actions: [], pattern: 'cake' },
      status: 400,
      errcode: 'M_INVALID_PARAM',
    }),
  },
  deletePushRule: {
    success: async (world) => ({ params: await ownRule(world) }),
    refusal: () => noRule,
  },
  isPushRuleEnabled: { success: () => ({ params: DEFAULT_RULE }), refusal: () => noRule },
  setPushRuleEnabled: {
    success: async (world) => ({ params: await ownRule(world), body: { enabled: false } }),
    refusal: () => ({ ...noRule, body: { enabled: false } }),
  },
  getPushRuleActions: { success: () => ({ params: DEFAULT_RULE }), refusal: () => noRule },
  setPushRuleActions: {
    success: async (world) => ({ params: await ownRule(world), body: { actions: [] } }),
    refusal: () => ({ ...noRule, body: { actions: [] } }),
  },
};
