// End-to-end encryption: keys of devices, cross-signing.

import { makeCrossSigning, makeDevice } from '../../e2e-keys.ts';
import type { Session } from '../api-client.ts';
import { passwordProof, type World } from '../world.ts';
import { type Examples, withoutToken } from './example.ts';

/** A user whose device has keys. */
async function encrypting(world: World): Promise<Session & ReturnType<typeof makeDevice>> {
  const session = await world.register('encrypting');
  const device = makeDevice(session.userId, session.deviceId ?? '');
  const body = {
    device_keys: device.deviceKeys,
    one_time_keys: { ...device.oneTimeKey('a'), ...device.oneTimeKey('b') },
    fallback_keys: device.oneTimeKey('c'),
  };
  await world.ok('uploadKeys', { as: session, body });
  return { ...session, ...device };
}

export const encryption: Examples = {
  uploadKeys: {
    success: (world) => {
      const device = makeDevice(world.alice.userId, world.alice.deviceId ?? '');
      const one_time_keys = device.oneTimeKey(world.fresh('key'));
      return { body: { device_keys: device.deviceKeys, one_time_keys } };
    },
    refusal: (world) => ({
      body: { device_keys: makeDevice(world.bob.userId, 'OTHER').deviceKeys },
      status: 400,
      errcode: 'M_INVALID_PARAM',
    }),
  },
  queryKeys: {
    success: async (world) => ({
      body: { device_keys: { [(await encrypting(world)).userId]: [] }, timeout: 1000 },
    }),
    refusal: () => ({ body: {}, status: 400, errcode: 'M_MISSING_PARAM' }),
  },
  claimKeys: {
    success: async (world) => {
      const { userId, deviceId } = await encrypting(world);
      return { body: { one_time_keys: { [userId]: { [deviceId ?? '']: 'signed_curve25519' } } } };
    },
    refusal: () => ({
      body: { one_time_keys: { nobody: {} } },
      status: 400,
      errcode: 'M_INVALID_PARAM',
    }),
  },
  getKeysChanges: {
    success: async (world) => {
      const from = (await world.ok('sync')).body.next_batch;
      return { query: { from, to: from } };
    },
    refusal: () => ({
      query: { from: 'none of ours', to: 'nor this' },
      status: 400,
      errcode: 'M_INVALID_PARAM',
    }),
  },
  uploadCrossSigningKeys: {
    success: async (world) => {
      const user = await encrypting(world);
      const { body } = makeCrossSigning(user.userId);
      return { as: user, body: { ...body, auth: passwordProof(user) } };
    },
    refusal: async (world) => {
      const user = await encrypting(world);
      const { self_signing_key } = makeCrossSigning(user.userId).body;
      return { as: user, body: { self_signing_key }, status: 400, errcode: 'M_MISSING_PARAM' };
    },
  },
  uploadCrossSigningSignatures: {
    success: async (world) => {
      const user = await encrypting(world);
      const { userId, deviceId } = user;
      const { body, selfSigning } = makeCrossSigning(userId);
      await world.ok('uploadCrossSigningKeys', { as: user, body });
      const signed = selfSigning.sign(user.deviceKeys);
      return { as: user, body: { [userId]: { [deviceId ?? '']: signed } } };
    },
    refusal: () => withoutToken({ body: {} }),
  },
};
