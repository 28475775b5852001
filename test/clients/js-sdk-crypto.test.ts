// matrix-js-sdk, unpatched, with its Rust cryptography: what only works when servers and clients agree about keys. Both users
// on one server, and on two that speak to each other over TLS.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ClientEvent,
  createClient,
  EventType,
  type MatrixClient,
  type MatrixEvent,
  MatrixEventEvent,
  MsgType,
  Preset,
  SyncState,
} from 'matrix-js-sdk';
import {
  CryptoEvent,
  type ShowSasCallbacks,
  VerificationPhase,
  type VerificationRequest,
  VerificationRequestEvent,
  type Verifier,
  VerifierEvent,
} from 'matrix-js-sdk/lib/crypto-api/index.js';
import type { Network } from '../federation/network.ts';
import { type ProcessServer, startProcessNetwork } from '../federation/process-network.ts';

const nothing = () => {};
/** The library reports every request; only what it throws matters here. */
const logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  getChild: () => logger,
};

const ENCRYPTION = {
  type: EventType.RoomEncryption,
  state_key: '',
  content: { algorithm: 'm.megolm.v1.aes-sha2' },
};

let network: Network<ProcessServer>;
const running: MatrixClient[] = [];

before(async () => {
  network = await startProcessNetwork({ servers: 2, seed: 1 });
});

after(async () => {
  for (const client of running) client.stopClient();
  await network.close();
});

interface Account {
  readonly username: string;
  /** Which server it is on. */
  readonly server: number;
}

interface Keeper {
  /** The key of secret storage, which the user has written down. */
  secret: Uint8Array<ArrayBuffer> | undefined;
}

interface Session {
  readonly user_id: string;
  readonly device_id?: string | undefined;
  readonly access_token?: string | undefined;
}

async function signedIn(
  baseUrl: string,
  session: Session,
  keeper: Keeper = { secret: undefined },
): Promise<MatrixClient> {
  const client = createClient({
    logger,
    baseUrl,
    userId: session.user_id,
    deviceId: session.device_id ?? '',
    accessToken: session.access_token ?? '',
    cryptoCallbacks: {
      getSecretStorageKey: async ({ keys }) =>
        keeper.secret === undefined ? null : [Object.keys(keys)[0] ?? '', keeper.secret],
      cacheSecretStorageKey: (_id, _info, key) => {
        keeper.secret = key as Uint8Array<ArrayBuffer>;
      },
    },
  });
  running.push(client);
  await client.initRustCrypto({ useIndexedDB: false });
  const prepared = until(client, ClientEvent.Sync, (state) => state === SyncState.Prepared);
  await client.startClient({ initialSyncLimit: 10 });
  await prepared;
  return client;
}

async function registered({ username, server }: Account, keeper?: Keeper): Promise<MatrixClient> {
  const { baseUrl } = network.server(server);
  const session = await createClient({ baseUrl }).registerRequest({
    username,
    password: passwordOf(username),
    auth: { type: 'm.login.dummy' },
  });
  return await signedIn(baseUrl, session, keeper);
}

async function anotherDevice(
  { username, server }: Account,
  keeper?: Keeper,
): Promise<MatrixClient> {
  const { baseUrl } = network.server(server);
  const session = await createClient({ baseUrl }).loginRequest({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: username },
    password: passwordOf(username),
  });
  return await signedIn(baseUrl, session, keeper);
}

function passwordOf(username: string): string {
  return `secret of ${username}`;
}

/** Resolves with the first argument of the first `event` for which `accept` holds; fails after 20 s. */
function until<T>(source: unknown, event: string, accept: (value: T) => boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    const emitter = source as NodeJS.EventEmitter;
    const timer = setTimeout(() => reject(new Error(`no ${event} within 20 s`)), 20_000);
    const listener = (value: T) => {
      if (!accept(value)) return;
      clearTimeout(timer);
      emitter.removeListener(event, listener);
      resolve(value);
    };
    emitter.on(event, listener);
  });
}

function crypto(client: MatrixClient) {
  const api = client.getCrypto();
  assert.ok(api);
  return api;
}

async function encryptedRoom(owner: MatrixClient, other: MatrixClient): Promise<string> {
  const { room_id: roomId } = await owner.createRoom({
    preset: Preset.PublicChat,
    initial_state: [ENCRYPTION],
  });
  await other.joinRoom(roomId, { viaServers: [owner.getDomain() ?? ''] });
  const otherId = other.getUserId() ?? '';
  await untilHolds(async () => owner.getRoom(roomId)?.getMember(otherId)?.membership === 'join');
  await untilHolds(async () => other.getRoom(roomId)?.hasEncryptionStateEvent() === true);
  return roomId;
}

/** The receiver shows the text that was sent, and the server has not seen it. */
async function says(sender: MatrixClient, receiver: MatrixClient, roomId: string, body: string) {
  const arrived = untilDecrypted(receiver, body);
  const { event_id: id } = await sender.sendMessage(roomId, { msgtype: MsgType.Text, body });
  const event = await arrived;
  assert.equal(event.getId(), id);
  const stored = await receiver.fetchRoomEvent(roomId, id);
  assert.equal(stored.type, EventType.RoomMessageEncrypted);
}

function untilDecrypted(client: MatrixClient, body: string): Promise<MatrixEvent> {
  return until(
    client,
    MatrixEventEvent.Decrypted,
    (event: MatrixEvent) => event.getContent().body === body,
  );
}

/** `authUploadDeviceSigningKeys` that proves what the server asks for. */
function proofOf({ username }: Account) {
  return async (upload: (auth: null | object) => Promise<unknown>) => {
    const identifier = { type: 'm.id.user', user: username };
    await upload({ type: 'm.login.password', identifier, password: passwordOf(username) });
  };
}

async function bootstrap(client: MatrixClient, account: Account): Promise<void> {
  await crypto(client).bootstrapCrossSigning({
    authUploadDeviceSigningKeys: proofOf(account) as never,
  });
}

/** The library holds verifications weakly: what nobody else holds is never told how it goes on. */
const kept: unknown[] = [];

/** Both compare what they see, and say that it is the same. */
async function confirm(verifier: Verifier): Promise<unknown> {
  const shown = until(verifier, VerifierEvent.ShowSas, (_: ShowSasCallbacks) => true);
  const done = verifier.verify();
  const sas = verifier.getShowSasCallbacks() ?? (await shown);
  await sas.confirm();
  await done;
  return sas.sas.emoji;
}

function phase(request: VerificationRequest, wanted: VerificationPhase): Promise<unknown> {
  if (request.phase === wanted) return Promise.resolve();
  return until(request, VerificationRequestEvent.Change, () => request.phase === wanted);
}

/** Asks again and again, for 20 s. */
async function untilHolds(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, 'it does not come about');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function keysInBackup(client: MatrixClient): Promise<number> {
  const response = await fetch(`${client.baseUrl}/_matrix/client/v3/room_keys/version`, {
    headers: { authorization: `Bearer ${client.getAccessToken()}` },
  });
  return ((await response.json()) as { count: number }).count;
}

for (const [where, second] of [
  ['on one server', 0],
  ['on two servers', 1],
] as const) {
  const account = (server: number) => (name: string) => ({ username: `${name}${second}`, server });
  const [one, other] = [account(0), account(second)];

  test(`two users talk in an encrypted room, on devices that come later too, ${where}`, async () => {
    const alice = await registered(one('alice'));
    const bob = await registered(other('bob'));
    const roomId = await encryptedRoom(alice, bob);
    await says(alice, bob, roomId, 'hello bob');
    await says(bob, alice, roomId, 'hello alice');
    const phone = await anotherDevice(other('bob'));
    await untilHolds(async () => {
      const bobs = (await crypto(alice).getUserDeviceInfo([bob.getUserId() ?? ''])).values().next();
      return bobs.value?.has(phone.getDeviceId() ?? '') === true;
    });
    await says(alice, phone, roomId, 'hello phone');
    await says(phone, alice, roomId, 'hello from the phone');
  });

  test(`two users verify each other, ${where}`, async () => {
    const carol = await registered(one('carol'));
    const dave = await registered(other('dave'));
    await bootstrap(carol, one('carol'));
    await bootstrap(dave, other('dave'));
    const roomId = await encryptedRoom(carol, dave);
    await says(carol, dave, roomId, 'who are you?');
    const davesId = dave.getUserId() ?? '';
    await untilHolds(async () => await crypto(carol).userHasCrossSigningKeys(davesId, true));
    const asked = until(dave, CryptoEvent.VerificationRequestReceived, () => true);
    const request = await crypto(carol).requestVerificationDM(davesId, roomId);
    const received = (await asked) as VerificationRequest;
    const ready = phase(request, VerificationPhase.Ready);
    await received.accept();
    await ready;
    const started = phase(received, VerificationPhase.Started);
    const verifier = await request.startVerification('m.sas.v1');
    await started;
    assert.ok(received.verifier);
    kept.push(request, received, verifier, received.verifier);
    const emojis = await Promise.all([confirm(verifier), confirm(received.verifier)]);
    assert.deepEqual(emojis[0], emojis[1]);
    for (const [one, other] of [
      [carol, dave],
      [dave, carol],
    ] as const) {
      await untilHolds(async () => {
        const status = await crypto(one).getUserVerificationStatus(other.getUserId() ?? '');
        return status.isCrossSigningVerified();
      });
    }
  });

  test(`a new device is trusted, and reads history from the backup of keys, ${where}`, async () => {
    const keeper: Keeper = { secret: undefined };
    const erin = await registered(one('erin'), keeper);
    const frank = await registered(other('frank'));
    await bootstrap(erin, one('erin'));
    await crypto(erin).bootstrapSecretStorage({
      createSecretStorageKey: () => crypto(erin).createRecoveryKeyFromPassphrase(),
      setupNewKeyBackup: true,
    });
    assert.ok(await crypto(erin).getActiveSessionBackupVersion());
    const roomId = await encryptedRoom(erin, frank);
    await says(frank, erin, roomId, 'old news');
    // Clients begin some seconds later, so that not all do at once.
    await untilHolds(async () => (await keysInBackup(erin)) > 0);

    const phone = await anotherDevice(one('erin'), keeper);
    assert.ok(await crypto(phone).userHasCrossSigningKeys(phone.getUserId() ?? '', true));
    await crypto(phone).bootstrapCrossSigning({});
    const device = await crypto(frank).getUserDeviceInfo([erin.getUserId() ?? ''], true);
    assert.ok(device.get(erin.getUserId() ?? '')?.has(phone.getDeviceId() ?? ''));
    await untilHolds(async () => {
      const [userId, deviceId] = [phone.getUserId() ?? '', phone.getDeviceId() ?? ''];
      const status = await crypto(erin).getDeviceVerificationStatus(userId, deviceId);
      return status?.signedByOwner === true;
    });
    await crypto(phone).loadSessionBackupPrivateKeyFromSecretStorage();
    const { total, imported } = await crypto(phone).restoreKeyBackup();
    assert.ok(imported > 0 && imported === total);
    await untilHolds(async () => {
      const events = phone.getRoom(roomId)?.getLiveTimeline().getEvents() ?? [];
      return events.some((event) => event.getContent().body === 'old news');
    });
  });
}
