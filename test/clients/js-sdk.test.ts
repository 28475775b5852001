// matrix-js-sdk, unpatched, against a server started as a user would start it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ClientEvent,
  createClient,
  EventType,
  type IStartClientOpts,
  type MatrixClient,
  type MatrixEvent,
  MsgType,
  Preset,
  ReceiptType,
  RelationType,
  type Room,
  RoomEvent,
  RoomMemberEvent,
  SyncState,
  type Thread,
  ThreadEvent,
} from 'matrix-js-sdk';
import { logger } from 'matrix-js-sdk/lib/logger.js';
import { type ServerProcess, startServer } from '../server-process.ts';

// The library reports every request; only its errors matter here.
(logger as unknown as { setLevel(level: string, persist: boolean): void }).setLevel(
  'silent',
  false,
);

let server: ServerProcess;
const running: MatrixClient[] = [];

before(async () => {
  server = await startServer();
});

after(async () => {
  for (const client of running) client.stopClient();
  await server.remove();
});

async function registered(username: string): Promise<MatrixClient> {
  const anonymous = createClient({ baseUrl: server.baseUrl });
  const session = await anonymous.registerRequest({
    username,
    password: `secret of ${username}`,
    auth: { type: 'm.login.dummy' },
  });
  return createClient({
    baseUrl: server.baseUrl,
    userId: session.user_id,
    deviceId: session.device_id ?? '',
    accessToken: session.access_token ?? '',
  });
}

async function started(client: MatrixClient, opts: IStartClientOpts = {}): Promise<MatrixClient> {
  running.push(client);
  const prepared = until(
    client,
    ClientEvent.Sync,
    (state: SyncState) => state === SyncState.Prepared,
  );
  await client.startClient({ initialSyncLimit: 10, lazyLoadMembers: true, ...opts });
  await prepared;
  return client;
}

/** Resolves with the arguments of the first `event` for which `accept` holds; fails after 10 s. */
function until<A extends unknown[]>(
  source: MatrixClient | Thread,
  event: string,
  accept: (...args: A) => boolean,
): Promise<A> {
  return new Promise((resolve, reject) => {
    const emitter = source as unknown as NodeJS.EventEmitter;
    const timer = setTimeout(() => reject(new Error(`no ${event} within 10 s`)), 10_000);
    const listener = (...args: unknown[]) => {
      if (!accept(...(args as A))) return;
      clearTimeout(timer);
      emitter.removeListener(event, listener);
      resolve(args as A);
    };
    emitter.on(event, listener);
  });
}

const withBody = (roomId: string, body: string) => (event: MatrixEvent) =>
  event.getRoomId() === roomId && event.getContent().body === body;

test('two users register, talk, paginate, react, redact, share media, type and read', async () => {
  const alice = await started(await registered('alice'));
  const bob = await started(await registered('bob'));

  const { room_id: roomId } = await alice.createRoom({
    preset: Preset.PublicChat,
    name: 'Keyhole',
  });
  const joined = until(bob, ClientEvent.Room, (room: Room) => room.roomId === roomId);
  await bob.joinRoom(roomId);
  await joined;

  const arrived = until(bob, RoomEvent.Timeline, withBody(roomId, 'hello'));
  const { event_id: helloId } = await alice.sendTextMessage(roomId, 'hello');
  assert.equal((await arrived)[0].getId(), helloId);

  await reactAndRedact(alice, bob, roomId, helloId);
  await typeAndRead(alice, bob, roomId, helloId);
  await scrollBack(alice, bob, roomId);
  await shareMedia(alice, bob, roomId);
});

async function reactAndRedact(
  alice: MatrixClient,
  bob: MatrixClient,
  roomId: string,
  helloId: string,
) {
  const reacted = until(
    alice,
    RoomEvent.Timeline,
    (event: MatrixEvent) => event.getType() === EventType.Reaction,
  );
  await bob.sendEvent(roomId, EventType.Reaction, {
    'm.relates_to': { rel_type: RelationType.Annotation, event_id: helloId, key: '👍' },
  });
  assert.equal((await reacted)[0].getRelation()?.event_id, helloId);

  const { event_id: mistakeId } = await alice.sendTextMessage(roomId, 'mistake');
  const redacted = until(
    bob,
    RoomEvent.Redaction,
    (event: MatrixEvent) => event.getAssociatedId() === mistakeId,
  );
  await alice.redactEvent(roomId, mistakeId);
  await redacted;
  assert.deepEqual((await bob.fetchRoomEvent(roomId, mistakeId)).content, {});
}

async function typeAndRead(
  alice: MatrixClient,
  bob: MatrixClient,
  roomId: string,
  helloId: string,
) {
  const typing = until(
    alice,
    RoomMemberEvent.Typing,
    (_: MatrixEvent, member: { userId: string; typing: boolean }) =>
      member.userId === bob.getUserId() && member.typing,
  );
  await bob.sendTyping(roomId, true, 10_000);
  await typing;

  const read = until(alice, RoomEvent.Receipt, (event: MatrixEvent) =>
    JSON.stringify(event.getContent()).includes(bob.getUserId() ?? '?'),
  );
  const event = bob.getRoom(roomId)?.findEventById(helloId);
  assert.ok(event);
  await bob.sendReadReceipt(event, ReceiptType.Read);
  await read;
}

async function scrollBack(alice: MatrixClient, bob: MatrixClient, roomId: string) {
  const last = until(bob, RoomEvent.Timeline, withBody(roomId, 'line 29'));
  for (let line = 0; line < 30; line += 1) await alice.sendTextMessage(roomId, `line ${line}`);
  await last;

  const fresh = await started(
    createClient({
      baseUrl: server.baseUrl,
      userId: bob.getUserId() ?? '',
      ...(await relogin('bob')),
    }),
  );
  const room = fresh.getRoom(roomId);
  assert.ok(room);
  assert.equal(room.timeline.length, 10);
  while (room.oldState.paginationToken !== null) await fresh.scrollback(room, 20);
  assert.equal(room.timeline[0]?.getType(), EventType.RoomCreate);
  const lines = room.timeline
    .map((event) => event.getContent().body)
    .filter((body) => /^line /.test(body ?? ''));
  assert.deepEqual(
    lines,
    Array.from({ length: 30 }, (_, line) => `line ${line}`),
  );
}

async function relogin(username: string): Promise<{ accessToken: string; deviceId: string }> {
  const session = await createClient({ baseUrl: server.baseUrl }).loginRequest({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: username },
    password: `secret of ${username}`,
  });
  return { accessToken: session.access_token, deviceId: session.device_id };
}

async function shareMedia(alice: MatrixClient, bob: MatrixClient, roomId: string) {
  const bytes = Buffer.from('the quick brown fox');
  const { content_uri: url } = await alice.uploadContent(bytes, {
    type: 'text/plain',
    name: 'fox.txt',
  });
  const arrived = until(bob, RoomEvent.Timeline, withBody(roomId, 'fox.txt'));
  await alice.sendMessage(roomId, { msgtype: MsgType.File, body: 'fox.txt', url });
  const [event] = await arrived;
  const http = bob.mxcUrlToHttp(
    event.getContent().url ?? '',
    undefined,
    undefined,
    undefined,
    false,
    true,
    true,
  );
  assert.ok(http);
  const response = await fetch(http, {
    headers: { authorization: `Bearer ${bob.getAccessToken()}` },
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/plain');
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes);
}

test('a thread is counted by the server, and read by its relations', async () => {
  const ann = await registered('ann');
  const { room_id: roomId } = await ann.createRoom({});
  const { event_id: rootId } = await ann.sendTextMessage(roomId, 'root');
  const replies = ['one', 'two', 'three'];
  for (const body of replies) {
    await ann.sendMessage(roomId, rootId, { msgtype: MsgType.Text, body });
  }
  await started(ann, { threadSupport: true });

  const thread = ann.getRoom(roomId)?.getThread(rootId);
  assert.ok(thread);
  if (!thread.initialEventsFetched) await until(thread, ThreadEvent.Update, () => true);
  assert.equal(thread.length, replies.length);
  const bodies = thread.events.map((event) => event.getContent().body);
  assert.deepEqual(bodies, ['root', ...replies]);
});

for (const kind of ['a non-member', 'a guest']) {
  test(`peekInRoom shows a world_readable room live to ${kind}`, async () => {
    const name = kind === 'a guest' ? 'grace' : 'nora';
    const member = await started(await registered(`host-of-${name}`));
    const { room_id: roomId } = await member.createRoom({
      initial_state: [
        {
          type: 'm.room.history_visibility',
          state_key: '',
          content: { history_visibility: 'world_readable' },
        },
      ],
    });
    await member.sendTextMessage(roomId, 'before');
    const looker = kind === 'a guest' ? await guest() : await registered(name);
    await started(looker);

    const between = sendAfterInitialSync(looker, member, roomId);
    const room = await looker.peekInRoom(roomId, 20);
    assert.ok(room.timeline.some((event) => event.getContent().body === 'before'));
    await between;
    const live = until(looker, RoomEvent.Timeline, withBody(roomId, 'live'));
    await member.sendTextMessage(roomId, 'live');
    await live;
    const bodies = room.timeline.map((event) => event.getContent().body).filter(Boolean);
    assert.deepEqual(bodies.slice(-3), ['before', 'between', 'live']);
    assert.equal(room.getMyMembership(), 'leave');
    looker.stopPeeking();
  });
}

test('a space is explored, a room of it summed up, joined and upgraded', async () => {
  const owner = await started(await registered('owner'));
  const explorer = await started(await registered('explorer'));
  const room = { preset: Preset.PublicChat, name: 'In the space', room_version: '11' };
  const { room_id: roomId } = await owner.createRoom(room);
  const { room_id: spaceId } = await owner.createRoom({
    preset: Preset.PublicChat,
    name: 'Space',
    creation_content: { type: 'm.space' },
  });
  const via = [owner.getDomain() ?? ''];
  await owner.sendStateEvent(spaceId, EventType.SpaceChild, { via }, roomId);

  const { rooms } = await explorer.getRoomHierarchy(spaceId, 10, 2);
  assert.deepEqual(
    rooms.map(({ name, num_joined_members: members }) => [name, members]),
    [
      ['Space', 1],
      ['In the space', 1],
    ],
  );
  const summary = await explorer.getRoomSummary(roomId, via);
  assert.deepEqual([summary.name, summary.membership], ['In the space', 'leave']);
  await explorer.joinRoom(roomId);
  await explorer.setRoomTag(roomId, 'm.favourite', { order: 0.5 });

  const isTombstone = (event: MatrixEvent) => event.getType() === EventType.RoomTombstone;
  const ended = until(explorer, RoomEvent.Timeline, isTombstone);
  const { replacement_room: next } = await owner.upgradeRoom(roomId, '12');
  const [tombstone] = await ended;
  assert.equal((tombstone as MatrixEvent).getContent().replacement_room, next);
  const arrived = until(explorer, ClientEvent.Room, ({ roomId: id }: Room) => id === next);
  await explorer.joinRoom(next);
  const [replacement] = await arrived;
  assert.equal((replacement as Room).findPredecessor()?.roomId, roomId);
  assert.deepEqual(await explorer.getRoomTags(next), { tags: { 'm.favourite': { order: 0.5 } } });
});

async function guest(): Promise<MatrixClient> {
  const { user_id, device_id, access_token } = await createClient({
    baseUrl: server.baseUrl,
  }).registerGuest({});
  const client = createClient({
    baseUrl: server.baseUrl,
    userId: user_id,
    deviceId: device_id ?? '',
    accessToken: access_token ?? '',
  });
  client.setGuest(true);
  return client;
}

/** Sends 'between' once initialSync has been answered and before the first /events leaves. */
async function sendAfterInitialSync(looker: MatrixClient, member: MatrixClient, roomId: string) {
  const roomInitialSync = looker.roomInitialSync.bind(looker);
  const arrived = until(looker, RoomEvent.Timeline, withBody(roomId, 'between'));
  looker.roomInitialSync = async (id: string, limit: number) => {
    const answer = await roomInitialSync(id, limit);
    await member.sendTextMessage(roomId, 'between');
    return answer;
  };
  await arrived;
}
