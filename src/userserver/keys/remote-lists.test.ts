import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeCrossSigning, makeDevice } from '../../../test/e2e-keys.ts';
import { until } from '../../../test/until.ts';
import { ENTRY_VERSION } from '../../eventlog/entries.ts';
import type { FederationRequest } from '../../federation/api.ts';
import { silentLogger } from '../../logger.ts';
import type { DeviceId, RoomId, ServerName, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { UserserverContext } from '../context.ts';
import { createWriteChanges } from '../output.ts';
import { forEachBackend, type Harness, openHarness } from '../testing.ts';
import { federatedUserKeys } from './federated-user-keys.ts';
import { RemoteLists } from './remote-lists.ts';

const ORIGIN = 'elsewhere.example' as ServerName;
const BOB = `@bob:${ORIGIN}` as UserId;
const ALICE = '@alice:test.example' as UserId;
const A = 'A' as DeviceId;

/** Another server with bob and his devices. */
class Elsewhere {
  readonly asked: string[] = [];
  readonly devices = new Map<string, JsonObject>();
  streamId = 1;
  cross: ReturnType<typeof makeCrossSigning> | undefined;
  /** Awaited before an answer that was made leaves. */
  beforeAnswer = async () => {};

  add(deviceId: string): JsonObject {
    const { deviceKeys } = makeDevice(BOB, deviceId);
    this.devices.set(deviceId, deviceKeys);
    return deviceKeys;
  }

  client = {
    request: async ({ destination, path, body }: FederationRequest): Promise<JsonObject> => {
      assert.equal(destination, ORIGIN);
      this.asked.push(path.replace('/_matrix/federation/v1/user/', '').replace(/%.*/, ''));
      const answer = path.includes('/devices/') ? this.#list() : this.#answer(body ?? {});
      await this.beforeAnswer();
      return answer;
    },
  };

  #list(): JsonObject {
    return {
      user_id: BOB,
      stream_id: this.streamId,
      devices: [...this.devices].map(([device_id, keys]) => ({ device_id, keys })),
      ...(this.cross && { master_key: this.cross.master.json }),
    };
  }

  #answer(body: JsonObject): JsonObject {
    if (body.one_time_keys !== undefined) {
      const keys = { 'signed_curve25519:x': { key: 'key', signatures: {} } };
      return { one_time_keys: { [BOB]: { A: keys, OTHER: keys }, [ALICE]: { A: keys } } };
    }
    return { device_keys: { [BOB]: Object.fromEntries(this.devices), [ALICE]: { A: {} } } };
  }
}

async function openWith(
  backend: Parameters<typeof openHarness>[0],
): Promise<{ harness: Harness; elsewhere: Elsewhere; devices: () => Promise<string[]> }> {
  const elsewhere = new Elsewhere();
  const harness = await openHarness(backend, { federation: elsewhere.client });
  await harness.register('alice');
  const devices = async () => {
    const body = await query(harness, [BOB]);
    return Object.keys((body.device_keys as Record<string, JsonObject>)[BOB] ?? {});
  };
  return { harness, elsewhere, devices };
}

function query({ api }: Harness, followed: readonly UserId[]): Promise<JsonObject> {
  return api.queryKeys({ requester: ALICE, wanted: { [BOB]: [] }, followed, timeoutMs: 1000 });
}

function update({ api }: Harness, content: JsonObject) {
  return api.performReceiveDeviceListUpdate({
    origin: ORIGIN,
    content: { user_id: BOB, ...content },
  });
}

forEachBackend('device lists of other servers', (backend) => {
  test('are fetched once, and changed by what their servers tell', async () => {
    const { harness, elsewhere, devices } = await openWith(backend);
    elsewhere.add('A');
    assert.deepEqual(await devices(), ['A']);
    const added = makeDevice(BOB, 'B').deviceKeys;
    const told = await update(harness, {
      device_id: 'B',
      stream_id: 2,
      prev_id: [1],
      keys: added,
      device_display_name: 'Phone',
    });
    assert.ok(told.position > 0);
    const body = await query(harness, [BOB]);
    const users = body.device_keys as Record<string, Record<string, JsonObject>>;
    assert.deepEqual(users[BOB]?.B, { ...added, unsigned: { device_display_name: 'Phone' } });
    await update(harness, { device_id: 'A', stream_id: 3, prev_id: [2], deleted: true });
    assert.deepEqual(await devices(), ['B']);
    assert.deepEqual(elsewhere.asked, ['devices/']);
    const again = await update(harness, { device_id: 'B', stream_id: 2, prev_id: [1] });
    assert.equal(again.position, 0);
    const changes = (await harness.entries()).filter(
      ({ entry }) => entry.kind === 'RemoteDeviceListChanged',
    );
    assert.deepEqual(
      changes.map(({ key }) => key),
      [BOB, BOB, BOB],
    );
  });

  test('are fetched again where an update is missing or malformed', async () => {
    const { harness, elsewhere, devices } = await openWith(backend);
    elsewhere.add('A');
    assert.deepEqual(await devices(), ['A']);
    let fetched = 1;
    for (const content of [
      { device_id: 'B', stream_id: 3, prev_id: [2] },
      { device_id: 'B', stream_id: 9, prev_id: [] },
      { device_id: 'B', stream_id: 9 },
      { device_id: 'B', stream_id: 'x', prev_id: [1] },
      { device_id: 'B', stream_id: 2, prev_id: [1], keys: { user_id: ALICE } },
    ]) {
      const { position } = await update(harness, content);
      assert.ok(position > 0);
      fetched += 1;
      assert.deepEqual(await devices(), ['A']);
      assert.equal(elsewhere.asked.length, fetched, JSON.stringify(content));
    }
  });

  test('that have a gap are fetched before anybody asks', async () => {
    const { harness, elsewhere, devices } = await openWith(backend);
    elsewhere.add('A');
    assert.deepEqual(await devices(), ['A']);
    elsewhere.add('B');
    elsewhere.streamId = 3;
    await update(harness, { device_id: 'B', stream_id: 3, prev_id: [2] });
    await until(() => elsewhere.asked.length === 2, 'the list is fetched');
    assert.deepEqual(await devices(), ['A', 'B']);
    assert.equal(elsewhere.asked.length, 2);
    // Of users who were never asked for there is no list to mend.
    const carl = `@carl:${ORIGIN}`;
    const { position } = await update(harness, { user_id: carl, device_id: 'C', stream_id: 1 });
    assert.ok(position > 0);
    assert.equal(elsewhere.asked.length, 2);
  });

  test('that change while they are fetched are fetched again', async () => {
    const { harness, elsewhere, devices } = await openWith(backend);
    elsewhere.add('A');
    elsewhere.beforeAnswer = async () => {
      elsewhere.beforeAnswer = async () => {};
      elsewhere.add('B');
      elsewhere.streamId = 2;
      await update(harness, { device_id: 'B', stream_id: 2, prev_id: [1] });
    };
    assert.deepEqual(await devices(), ['A']);
    assert.deepEqual(await devices(), ['A', 'B']);
    assert.deepEqual(await devices(), ['A', 'B']);
    assert.equal(elsewhere.asked.length, 2);
  });

  test('are not asked for where they have come meanwhile: the answer could be older than what is told', async () => {
    const { harness, elsewhere, devices } = await openWith(backend);
    elsewhere.add('A');
    const { database, eventLog } = harness;
    const write = createWriteChanges(database, eventLog);
    const context = { database, write, logger: silentLogger } as unknown as UserserverContext;
    const lists = new RemoteLists(context, federatedUserKeys(elsewhere.client));
    const request = { userId: BOB, timeoutMs: 1000 };
    await lists.fetch(request);
    const tell = async () => {
      elsewhere.beforeAnswer = async () => {};
      const { deviceKeys: keys } = makeDevice(BOB, 'B');
      await update(harness, { device_id: 'B', stream_id: 2, prev_id: [1], keys });
    };
    elsewhere.beforeAnswer = tell;
    await lists.fetch(request);
    if (elsewhere.beforeAnswer === tell) await tell();
    assert.deepEqual(await devices(), ['A', 'B']);
  });

  test('of users with whom nobody shares a room are not kept', async () => {
    const { harness, elsewhere, devices } = await openWith(backend);
    elsewhere.add('A');
    await devices();
    elsewhere.add('B');
    const body = await query(harness, []);
    assert.deepEqual(Object.keys(body.device_keys as JsonObject), [BOB]);
    assert.deepEqual(elsewhere.asked, ['devices/', 'keys/query']);
    assert.deepEqual(await devices(), ['A', 'B']);
  });

  test('are not trusted any more when their users come or go', async () => {
    const { harness, elsewhere, devices } = await openWith(backend);
    elsewhere.add('A');
    await devices();
    elsewhere.add('B');
    const entry = {
      v: ENTRY_VERSION,
      kind: 'StateReplaced' as const,
      reason: 'resolution' as const,
      roomVersion: '11' as const,
      stateChanges: [
        { type: 'm.room.member', stateKey: BOB, membership: 'join', previousMembership: 'leave' },
      ],
      currentState: 'state',
      currentVisibility: 'shared' as const,
      encrypted: true,
    };
    const ticket = await harness.database.transact((tx) =>
      harness.eventLog.append(tx, 'roomserver.output', [
        { key: '!room:test.example' as RoomId, entry },
      ]),
    );
    await harness.eventLog.position(ticket);
    assert.deepEqual(await devices(), ['A', 'B']);
  });

  test('servers that are asked for keys give no others, and speak for their own users only', async () => {
    const { harness, elsewhere } = await openWith(backend);
    elsewhere.add('A');
    const body = await query(harness, []);
    assert.deepEqual(Object.keys(body.device_keys as JsonObject), [BOB]);
    const wanted = { [BOB]: { [A]: 'signed_curve25519' } };
    const claimed = await harness.api.performClaimKeys({ wanted, timeoutMs: 1000 });
    const keys = { 'signed_curve25519:x': { key: 'key', signatures: {} } };
    assert.deepEqual(claimed, { one_time_keys: { [BOB]: { A: keys } }, failures: {} });
    const content = { user_id: ALICE, device_id: 'B', stream_id: 1 };
    const forged = await harness.api.performReceiveDeviceListUpdate({ origin: ORIGIN, content });
    assert.equal(forged.position, 0);
    const signing = { user_id: ALICE, master_key: makeCrossSigning(ALICE).master.json };
    const other = await harness.api.performReceiveSigningKeyUpdate({
      origin: ORIGIN,
      content: signing,
    });
    assert.equal(other.position, 0);
  });

  test('cross-signing keys come with the list and are replaced by updates', async () => {
    const { harness, elsewhere } = await openWith(backend);
    elsewhere.cross = makeCrossSigning(BOB);
    const masterOf = async () => (await query(harness, [BOB])).master_keys as JsonObject;
    assert.deepEqual(await masterOf(), { [BOB]: elsewhere.cross.master.json });
    const { master } = makeCrossSigning(BOB);
    const content = { user_id: BOB, master_key: master.json };
    await harness.api.performReceiveSigningKeyUpdate({ origin: ORIGIN, content });
    assert.deepEqual(await masterOf(), { [BOB]: master.json });
    assert.equal(elsewhere.asked.length, 1);
    const own = makeCrossSigning(ALICE);
    const keys = { master: own.body.master_key, user_signing: own.body.user_signing_key };
    await harness.api.performUploadCrossSigningKeys({
      userId: ALICE,
      keys,
      isAuthenticated: false,
    });
    const signed = own.userSigning.sign(master.json);
    const { failures } = await harness.api.performUploadSignatures({
      userId: ALICE,
      signed: { [BOB]: { [master.publicKey]: signed } },
    });
    assert.deepEqual(failures, {});
    assert.deepEqual(await masterOf(), { [BOB]: signed });
  });

  test('cross-signing keys that are replaced while a list is fetched are fetched again', async () => {
    const { harness, elsewhere } = await openWith(backend);
    elsewhere.cross = makeCrossSigning(BOB);
    const next = makeCrossSigning(BOB);
    elsewhere.beforeAnswer = async () => {
      elsewhere.beforeAnswer = async () => {};
      elsewhere.cross = next;
      const content = { user_id: BOB, master_key: next.master.json };
      await harness.api.performReceiveSigningKeyUpdate({ origin: ORIGIN, content });
    };
    await query(harness, [BOB]);
    const { master_keys: found } = await query(harness, [BOB]);
    assert.deepEqual(found, { [BOB]: next.master.json });
    assert.equal(elsewhere.asked.length, 2);
  });

  test('a server that does not answer is a failure of its own', async () => {
    const { harness, elsewhere } = await openWith(backend);
    elsewhere.beforeAnswer = async () => {
      throw new Error('not now');
    };
    const body = await query(harness, [BOB]);
    assert.deepEqual(body.device_keys, {});
    assert.deepEqual(body.failures, { [ORIGIN]: { status: 503, message: 'not now' } });
  });
});
