import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CrossSigningMaker, makeCrossSigning, makeDevice } from '../../../test/e2e-keys.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { UserserverApi } from '../api.ts';
import { forEachBackend, type Harness, openHarness, refusal } from '../testing.ts';

const A = 'A' as DeviceId;

function keysOf({ body }: CrossSigningMaker) {
  return {
    master: body.master_key,
    self_signing: body.self_signing_key,
    user_signing: body.user_signing_key,
  };
}

/** Registers a user with a device that has keys. */
async function userWithKeys({ api, register }: Harness, name: string) {
  const { userId } = await register(name, { deviceId: A });
  const device = makeDevice(userId, A);
  const none = { oneTimeKeys: {}, fallbackKeys: {} };
  await api.performUploadKeys({ userId, deviceId: A, deviceKeys: device.deviceKeys, ...none });
  const cross = makeCrossSigning(userId);
  const keys = keysOf(cross);
  await api.performUploadCrossSigningKeys({ userId, keys, isAuthenticated: false });
  return { userId, device, cross };
}

async function seen(api: UserserverApi, requester: UserId, userId: UserId) {
  const body = await api.queryKeys({ requester, wanted: { [userId]: [] }, timeoutMs: 0 });
  const of = (section: string) => (body[section] as Record<string, JsonObject>)[userId];
  return {
    device: (of('device_keys') as Record<string, JsonObject>).A as JsonObject,
    master: of('master_keys'),
    selfSigning: of('self_signing_keys'),
    userSigning: of('user_signing_keys'),
  };
}

const kinds = async ({ entries }: Harness) => (await entries()).map(({ entry }) => entry.kind);

forEachBackend('cross-signing', (backend) => {
  test('keys are set without authentication once, and replaced with it', async () => {
    const harness = await openHarness(backend);
    const { api } = harness;
    const { userId, cross } = await userWithKeys(harness, 'alice');
    const keys = keysOf(cross);
    assert.deepEqual(await api.queryCrossSigningUpload({ userId, keys }), {
      isAuthRequired: false,
    });
    const written = await api.performUploadCrossSigningKeys({
      userId,
      keys,
      isAuthenticated: false,
    });
    assert.equal(written.position, 0);
    const others = { userId, keys: keysOf(makeCrossSigning(userId)) };
    assert.deepEqual(await api.queryCrossSigningUpload(others), { isAuthRequired: true });
    const replacing = api.performUploadCrossSigningKeys({ ...others, isAuthenticated: false });
    await assert.rejects(replacing, refusal('M_FORBIDDEN'));
    await api.performUploadCrossSigningKeys({ ...others, isAuthenticated: true });
    const { master } = await seen(api, userId, userId);
    assert.deepEqual(master, others.keys.master);
    const changes = (await kinds(harness)).filter((kind) => kind === 'SigningKeysChanged');
    assert.equal(changes.length, 2);
  });

  test('keys that the master key has not signed, or that are malformed, are refused', async () => {
    const harness = await openHarness(backend);
    const { api, register } = harness;
    const { userId } = await register('alice', { deviceId: A });
    const cross = makeCrossSigning(userId);
    const { master, self_signing } = keysOf(cross);
    const refused = async (keys: Parameters<typeof api.queryCrossSigningUpload>[0]['keys']) =>
      await api.queryCrossSigningUpload({ userId, keys }).catch((error) => error.errcode);
    assert.equal(await refused({ self_signing }), 'M_MISSING_PARAM');
    const ofOther = keysOf(makeCrossSigning(userId)).self_signing;
    assert.equal(await refused({ master, self_signing: ofOther }), 'M_INVALID_SIGNATURE');
    assert.equal(await refused({ master: { ...master, usage: ['user'] } }), 'M_INVALID_PARAM');
    assert.equal(await refused({ master: { ...master, keys: {} } }), 'M_INVALID_PARAM');
    const foreign = { ...master, user_id: '@bob:test.example' };
    assert.equal(await refused({ master: foreign }), 'M_INVALID_PARAM');
    const short = { ...master, keys: { 'ed25519:AAAA': 'AAAA' } };
    assert.equal(await refused({ master: short }), 'M_INVALID_PARAM');
  });

  test('keys that are there are not changed without authentication, whatever else is said of them', async () => {
    const harness = await openHarness(backend);
    const { userId } = await harness.register('alice');
    const { body, master } = makeCrossSigning(userId);
    const keys = { master: body.master_key, self_signing: body.self_signing_key };
    await harness.api.performUploadCrossSigningKeys({ userId, keys, isAuthenticated: false });
    const other = { ...master.json, 'org.example.note': 'another' };
    const upload = { userId, keys: { master: other } };
    assert.deepEqual(await harness.api.queryCrossSigningUpload(upload), { isAuthRequired: true });
    const changing = harness.api.performUploadCrossSigningKeys({
      ...upload,
      isAuthenticated: false,
    });
    await assert.rejects(changing, refusal('M_FORBIDDEN'));
  });

  test('a master key that is set again keeps what has signed it', async () => {
    const harness = await openHarness(backend);
    const { api } = harness;
    const { userId, device, cross } = await userWithKeys(harness, 'alice');
    const common = { userId, isAuthenticated: true };
    const signed = device.sign(cross.master.json);
    await api.performUploadCrossSigningKeys({ ...common, keys: { master: signed } });
    await api.performUploadCrossSigningKeys({ ...common, keys: { master: cross.master.json } });
    assert.deepEqual((await seen(api, userId, userId)).master, signed);
  });

  test('key ids and device ids are of one namespace', async () => {
    const harness = await openHarness(backend);
    const { api, register, login } = harness;
    const { userId } = await register('alice', { deviceId: A });
    const cross = makeCrossSigning(userId);
    const deviceId = cross.selfSigning.publicKey;
    await login(userId, deviceId);
    const keys = keysOf(cross);
    await assert.rejects(api.queryCrossSigningUpload({ userId, keys }), refusal('M_FORBIDDEN'));
    await api.performDeleteDevices({ userId, deviceIds: [deviceId as DeviceId] });
    await api.performUploadCrossSigningKeys({ userId, keys, isAuthenticated: false });
    await assert.rejects(login(userId, deviceId), refusal('M_INVALID_PARAM'));
  });

  test('a device signed with the self-signing key is announced and seen by all', async () => {
    const harness = await openHarness(backend);
    const { api, entries } = harness;
    const alice = await userWithKeys(harness, 'alice');
    const bob = await userWithKeys(harness, 'bob');
    const { userId, device, cross } = alice;
    const signedDevice = cross.selfSigning.sign(device.deviceKeys);
    const signedMaster = device.sign(cross.master.json);
    const signed = {
      [userId]: { [A]: signedDevice, [cross.master.publicKey]: signedMaster },
    };
    const { failures } = await api.performUploadSignatures({ userId, signed });
    assert.deepEqual(failures, {});
    for (const requester of [userId, bob.userId]) {
      const found = await seen(api, requester, userId);
      assert.deepEqual(found.device, { ...signedDevice, unsigned: {} });
      assert.deepEqual(found.master, signedMaster);
      assert.deepEqual(
        found.userSigning,
        requester === userId ? cross.userSigning.json : undefined,
      );
    }
    const [list, keys] = (await entries()).slice(-2).map(({ entry }) => entry);
    assert.deepEqual(list?.kind === 'DeviceListChanged' && list.keys, signedDevice);
    assert.deepEqual(keys?.kind === 'SigningKeysChanged' && keys.masterKey, signedMaster);
    const forServer = await api.queryDevicesForServer({ userId });
    assert.deepEqual(forServer.master_key, signedMaster);
    assert.equal('user_signing_key' in forServer, false);
  });

  test('what is signed with the user-signing key is seen by its owner alone', async () => {
    const harness = await openHarness(backend);
    const { api, entries } = harness;
    const alice = await userWithKeys(harness, 'alice');
    const bob = await userWithKeys(harness, 'bob');
    const master = bob.cross.master;
    const json = alice.cross.userSigning.sign(master.json);
    const signed = { [bob.userId]: { [master.publicKey]: json } };
    const { userId } = alice;
    const { failures } = await api.performUploadSignatures({ userId, signed });
    assert.deepEqual(failures, {});
    assert.deepEqual((await seen(api, userId, bob.userId)).master, json);
    assert.deepEqual((await seen(api, bob.userId, bob.userId)).master, master.json);
    const wanted = { [bob.userId]: [] };
    const forServer = await api.queryKeysForServer({ wanted });
    assert.deepEqual((forServer.master_keys as JsonObject)[bob.userId], master.json);
    const last = (await entries()).at(-1);
    const change = { v: 1, kind: 'KeysChangedForOne', userIds: [bob.userId] };
    assert.deepEqual([last?.key, last?.entry], [userId, change]);
  });

  test('signatures that are not valid, or not hers to make, are failures one by one', async () => {
    const harness = await openHarness(backend);
    const { api } = harness;
    const alice = await userWithKeys(harness, 'alice');
    const bob = await userWithKeys(harness, 'bob');
    const { userId, device, cross } = alice;
    const good = cross.selfSigning.sign(device.deviceKeys);
    const broken = { ...cross.selfSigning.sign({ ...device.deviceKeys, algorithms: [] }) };
    const forged = { ...device.deviceKeys, signatures: broken.signatures } as JsonObject;
    const codeOf = async (target: UserId, keyId: string, json: JsonObject) => {
      const signed = { [target]: { [keyId]: json } };
      const { failures } = await api.performUploadSignatures({ userId, signed });
      return (failures as Record<string, Record<string, JsonObject>>)[target]?.[keyId]?.errcode;
    };
    assert.equal(await codeOf(userId, A, forged), 'M_INVALID_SIGNATURE');
    assert.equal(await codeOf(userId, A, broken), 'M_INVALID_SIGNATURE');
    assert.equal(await codeOf(userId, 'NONE', good), 'M_NOT_FOUND');
    const others = cross.userSigning.sign(bob.device.deviceKeys);
    assert.equal(await codeOf(bob.userId, A, others), 'M_INVALID_SIGNATURE');
    const byDevice = device.sign(bob.cross.master.json);
    const bobsMaster = bob.cross.master.publicKey;
    assert.equal(await codeOf(bob.userId, bobsMaster, byDevice), 'M_INVALID_SIGNATURE');
    assert.equal(await codeOf(userId, A, good), undefined);
  });

  test('new keys end what the old ones have signed, and so do new keys of a device', async () => {
    const harness = await openHarness(backend);
    const { api } = harness;
    const { userId, device, cross } = await userWithKeys(harness, 'alice');
    const signed = { [userId]: { [A]: cross.selfSigning.sign(device.deviceKeys) } };
    await api.performUploadSignatures({ userId, signed });
    const renewed = makeDevice(userId, A);
    const none = { oneTimeKeys: {}, fallbackKeys: {} };
    const { deviceKeys } = renewed;
    await api.performUploadKeys({ userId, deviceId: A, deviceKeys, ...none });
    assert.deepEqual((await seen(api, userId, userId)).device, { ...deviceKeys, unsigned: {} });
    const again = { [userId]: { [A]: cross.selfSigning.sign(deviceKeys) } };
    await api.performUploadSignatures({ userId, signed: again });
    const { master } = keysOf(makeCrossSigning(userId));
    await api.performUploadCrossSigningKeys({ userId, keys: { master }, isAuthenticated: true });
    const found = await seen(api, userId, userId);
    assert.deepEqual(found.device, { ...deviceKeys, unsigned: {} });
    assert.deepEqual([found.selfSigning, found.userSigning], [undefined, undefined]);
  });
});
