// Rooms with a policy server: what is sent and what is received there.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { UserEntry } from '../../src/eventlog/entries.ts';
import { MatrixError } from '../../src/protocol/error.ts';
import { Pdu } from '../../src/protocol/events/pdu.ts';
import type { EventId, RoomId, UserId } from '../../src/protocol/identifiers.ts';
import { withPolicySignature } from '../../src/protocol/policy-server.ts';
import { generateSigningKey } from '../../src/protocol/signing-key.ts';
import { followUsers } from '../../src/roomserver/consumers/follow-users.ts';
import { selectBacklogs } from '../../src/roomserver/store/staged-pdus.ts';
import { type Backend, forEachBackend } from '../contracts/backends.ts';
import { until } from '../until.ts';
import { foreignEvent } from './foreign-server.ts';
import { ALICE, BOB, makeRoom, text } from './harness.ts';
import { DAN, JOIN, message, setUp as setUpScene, THERE } from './scene.ts';
import { isSigned, ScriptedPolicyServer, storedEvent } from './scripted-policy-server.ts';

/** A room of Alice's in which Dan is, whose server is the room's policy server. */
async function setUp(backend: Backend) {
  const policyServer = new ScriptedPolicyServer(THERE);
  const scene = await setUpScene(backend, {}, { federation: policyServer });
  const { send, roomId } = scene;
  const name = () => send(ALICE, 'm.room.policy', '', policyServer.content);
  const say = (body: string, sender: UserId = ALICE) =>
    scene.api.performSendEvent({ roomId, sender, type: 'm.room.message', content: text(body) });
  const stored = (eventId: EventId) => storedEvent(scene, eventId);
  return { ...scene, policyServer, name, say, stored };
}

forEachBackend('what is sent with a policy server', (backend) => {
  it('asks nobody where the room has none', async () => {
    const { say, policyServer } = await setUp(backend);
    await say('hello');
    assert.deepEqual(policyServer.asked, []);
  });

  it('has its signature on what is stored and told', async () => {
    const { name, say, stored, policyServer, entries, roomId } = await setUp(backend);
    const named = await name();
    const { eventId } = await say('hello');
    const { pdu, standing } = await stored(eventId);
    assert.equal(standing, 'accepted');
    assert.ok(isSigned(pdu, policyServer));
    assert.ok(!isSigned((await stored(named)).pdu, policyServer));
    assert.deepEqual(policyServer.asked, ['m.room.message']);
    const [last] = (await entries(roomId)).slice(-1);
    assert.ok(last?.kind === 'NewRoomEvent' && last.event.eventId === eventId);
    assert.ok(isSigned(last.event, policyServer));
  });

  it('sends nothing that is refused, and says why', async () => {
    const { name, say, policyServer, entries, roomId } = await setUp(backend);
    await name();
    const { length } = await entries(roomId);
    const refusals = [
      ['M_FORBIDDEN', 'spam', { 'org.example.score': 9 }, 'M_FORBIDDEN'],
      ['M_LIMIT_EXCEEDED', 'slowly', { retry_after_ms: 700 }, 'M_LIMIT_EXCEEDED'],
      ['ORG.EXAMPLE.SPAM', 'spam', {}, 'ORG.EXAMPLE.SPAM'],
      // It is not for a policy server to end the client's session.
      ['M_UNKNOWN_TOKEN', 'no', { soft_logout: true }, 'M_FORBIDDEN'],
    ] as const;
    for (const [errcode, error, more, expected] of refusals) {
      policyServer.policy = () => policyServer.refuse(errcode, error, more);
      const refused = await say('hello').catch((reason: unknown) => reason);
      assert.ok(refused instanceof MatrixError);
      const { errcode: told, message: words, extra } = refused;
      assert.deepEqual([told, words], [expected, error]);
      assert.deepEqual(extra, expected === errcode ? more : {});
    }
    assert.equal((await entries(roomId)).length, length);
  });

  it('sends nothing that is not signed rightly', async () => {
    const { name, say, policyServer } = await setUp(backend);
    await name();
    const other = { ...generateSigningKey(), keyId: 'ed25519:policy_server' };
    const answers = [
      {},
      { [THERE]: 'yes' },
      { [THERE]: { 'ed25519:policy_server': 'AAAA' } },
      { 'other.test': { 'ed25519:policy_server': 'AAAA' } },
    ];
    for (const answer of answers) {
      policyServer.policy = () => answer;
      await assert.rejects(say('hello'), { errcode: 'M_UNKNOWN' });
    }
    policyServer.policy = (event) => policyServer.signature(event, other);
    await assert.rejects(say('hello'), { errcode: 'M_UNKNOWN' });
  });

  it('is not kept waiting by one that never answers, and takes its service back', async () => {
    const { name, say, policyServer, send, stored } = await setUp(backend);
    await name();
    policyServer.policy = () => policyServer.silence();
    for (let i = 0; i < 3; i++) await assert.rejects(say('hello'), { errcode: 'M_UNKNOWN' });
    // Asked twice each time, and no more once it is known not to answer.
    assert.equal(policyServer.asked.length, 4);
    await send(ALICE, 'm.room.policy', '', {});
    const { eventId } = await say('hello');
    assert.equal((await stored(eventId)).standing, 'accepted');
  });

  it('does without where the room names nobody who is in it', async () => {
    const { name, say, policyServer, send, accept } = await setUp(backend);
    const { content } = policyServer;
    for (const wrong of [
      { ...content, via: 'absent.test' },
      { ...content, via: 7 },
      { ...content, public_keys: {} },
      { via: content.via as string },
    ]) {
      await send(ALICE, 'm.room.policy', '', wrong);
      await say('hello');
    }
    await send(ALICE, 'm.room.policy', 'other', content);
    await name();
    const leave = { sender: DAN, type: 'm.room.member', stateKey: DAN };
    await accept({ ...leave, content: { membership: 'leave' } });
    assert.deepEqual(policyServer.asked.splice(0), ['m.room.member']);
    await say('hello');
    assert.deepEqual(policyServer.asked, []);
  });

  it('asks for membership, for non-state m.room.policy and for another state key', async () => {
    const { name, api, roomId, policyServer, send } = await setUp(backend);
    await name();
    const content = { displayname: 'Bob' };
    await api.performJoin({ roomIdOrAlias: roomId, userId: BOB, serverNames: [], content });
    await send(ALICE, 'm.room.policy', 'other', {});
    const { asked } = policyServer;
    await api.performSendEvent({ roomId, sender: ALICE, type: 'm.room.policy', content: {} });
    assert.deepEqual(asked, ['m.room.member', 'm.room.policy', 'm.room.policy']);
  });

  it('does not hold the room up meanwhile', async () => {
    const { name, say, stored, policyServer, accept } = await setUp(backend);
    await name();
    const { promise: signing, resolve: go } = Promise.withResolvers<void>();
    policyServer.policy = async (event) => {
      if ((event.content as { body: string }).body === 'slow') await signing;
      return policyServer.signature(event);
    };
    const slow = say('slow');
    const quick = await say('quick');
    await accept(message(DAN));
    go();
    const { eventId } = await slow;
    const { pdu, standing } = await stored(eventId);
    assert.equal(standing, 'accepted');
    assert.ok(!pdu?.prevEvents.includes(quick.eventId));
    // What follows brings the ends together again.
    const last = await say('last');
    assert.equal((await stored(last.eventId)).pdu?.prevEvents.length, 2);
  });

  it('sends once what is sent twice at the same time', async () => {
    const { name, api, roomId } = await setUp(backend);
    await name();
    const transaction = { userId: ALICE, deviceId: 'D' as never, scope: 's', id: 'txn' };
    const event = { roomId, sender: ALICE, type: 'm.room.message', content: text('one') };
    const send = () => api.performSendEvent({ ...event, transaction });
    const [one, other] = await Promise.all([send(), send()]);
    assert.equal(one.eventId, other.eventId);
  });

  it('lets who is deactivated leave as soon as it answers again', async () => {
    const { name, api, context, roomId, policyServer, database, eventLog, clock } =
      await setUp(backend);
    const followed = followUsers(context);
    await api.performJoin({ roomIdOrAlias: roomId, userId: BOB, serverNames: [], content: {} });
    await name();
    policyServer.policy = () => policyServer.silence();
    const entry = { v: 1, kind: 'UserDeactivated' } as UserEntry;
    const ticket = await database.transact((tx) =>
      eventLog.append(tx, 'userserver.output', [{ key: BOB, entry }]),
    );
    assert.ok(await followed.settled(await eventLog.position(ticket)));
    const membership = async () =>
      (await api.queryMemberships({ roomId, userIds: [BOB] }))[0]?.membership;
    assert.equal(await membership(), 'join');
    policyServer.policy = (event) => policyServer.signature(event);
    await until(async () => {
      clock.advance(1_000);
      return (await membership()) === 'leave';
    }, 'Bob leaves');
    await followed.close();
  });

  it('decides by the state that is current when the answer has come', async () => {
    const { name, say, policyServer, send } = await setUp(backend);
    await name();
    policyServer.policy = async (event) => {
      const signature = policyServer.signature(event);
      if (event.type !== 'm.room.message') return signature;
      await send(ALICE, 'm.room.power_levels', '', { events_default: 50 });
      return signature;
    };
    await send(ALICE, 'm.room.power_levels', '', { users: { [ALICE]: 100 } });
    await send(ALICE, 'm.room.join_rules', '', { join_rule: 'public' });
    await assert.rejects(say('hello', BOB), { errcode: 'M_FORBIDDEN' });
  });
});

forEachBackend('what is received with a policy server', (backend) => {
  it('is taken with its signature, without a question', async () => {
    const { name, make, input, stored, policyServer } = await setUp(backend);
    await name();
    const pdu = await make(message(DAN));
    const answer = policyServer.signature(pdu.json);
    const named = { name: THERE, publicKey: policyServer.key.publicKey };
    const signed = withPolicySignature(pdu, named, answer);
    assert.ok(signed !== undefined);
    assert.equal((await input(signed))[0]?.fate, 'accepted');
    assert.deepEqual(policyServer.asked, []);
    assert.ok(isSigned((await stored(pdu.eventId)).pdu, policyServer));
  });

  it('does not ask for the key by which a server of that name has signed it', async () => {
    const { name, make, input, policyServer, keys } = await setUp(backend);
    await name();
    const asked: string[] = [];
    const { key } = keys;
    keys.key = (request) => {
      asked.push(request.keyId);
      return key(request);
    };
    const pdu = await make(message(DAN));
    const named = { name: THERE, publicKey: policyServer.key.publicKey };
    const signed = withPolicySignature(pdu, named, policyServer.signature(pdu.json));
    assert.ok(signed !== undefined);
    const json = { ...pdu.json, signatures: policyServer.signature(pdu.json) };
    const { eventId, roomVersion } = pdu;
    const unsigned = Pdu.from({ eventId, roomVersion, json });
    assert.equal((await input(unsigned))[0]?.fate, 'dropped');
    assert.equal((await input(signed))[0]?.fate, 'accepted');
    assert.ok(!asked.includes('ed25519:policy_server'));
  });

  it('gets the signature that it lacks', async () => {
    const { name, accept, stored, policyServer } = await setUp(backend);
    await name();
    const { eventId } = await accept(message(DAN));
    assert.ok(isSigned((await stored(eventId)).pdu, policyServer));
  });

  it('is asked for anew where the signature is by another key', async () => {
    const { name, make, input, stored, policyServer } = await setUp(backend);
    await name();
    const pdu = await make(message(DAN));
    const old = { ...generateSigningKey(), keyId: 'ed25519:policy_server' };
    const answer = policyServer.signature(pdu.json, old);
    const signed = withPolicySignature(pdu, { name: THERE, publicKey: old.publicKey }, answer);
    assert.ok(signed !== undefined);
    assert.equal((await input(signed))[0]?.fate, 'accepted');
    assert.deepEqual(policyServer.asked, ['m.room.message']);
    const kept = (await stored(pdu.eventId)).pdu;
    assert.ok(kept !== undefined && policyServer.hasSigned(kept));
  });

  it('is soft-failed where it is refused, or nobody answers', async () => {
    const { name, fateOf, make, input, policyServer, current } = await setUp(backend);
    await name();
    policyServer.policy = () => policyServer.refuse('M_FORBIDDEN', 'spam');
    const refused = await make(message(DAN));
    const [fate] = await input(refused);
    assert.deepEqual(fate, {
      fate: 'softFailed',
      eventId: refused.eventId,
      rule: 'policy server',
      reason: 'spam',
    });
    const topic = { sender: ALICE, type: 'm.room.topic', stateKey: '', content: { topic: 'x' } };
    assert.equal((await fateOf(topic)).fate, 'softFailed');
    assert.equal(await current('m.room.topic'), undefined);
    policyServer.policy = () => policyServer.silence();
    assert.equal((await fateOf(message(DAN, 'other'))).fate, 'softFailed');
    policyServer.policy = () => ({});
    assert.equal((await fateOf(message(DAN, 'third'))).fate, 'softFailed');
  });

  it('waits for a policy server that has too much to do', async () => {
    const { name, make, input, policyServer, clock } = await setUp(backend);
    await name();
    const limit = policyServer.refuse('M_LIMIT_EXCEEDED', 'later', { retry_after_ms: 2_000 });
    policyServer.policy = () => limit;
    const pdu = await make(message(DAN));
    const fates = input(pdu);
    while (policyServer.asked.length === 0) await new Promise((done) => setImmediate(done));
    policyServer.policy = (event) => policyServer.signature(event);
    for (let i = 0; i < 3; i++) {
      await new Promise((done) => setImmediate(done));
      clock.advance(1_000);
    }
    assert.equal((await fates)[0]?.fate, 'accepted');
  });

  it('does not wait on while the server ends, and is not refused for that', async () => {
    const { name, make, api, policyServer, close } = await setUp(backend);
    await name();
    const limit = policyServer.refuse('M_LIMIT_EXCEEDED', 'later', { retry_after_ms: 9_000 });
    policyServer.policy = () => limit;
    const pdu = await make(message(DAN));
    await api.performReceivePdus({ origin: THERE, transactionId: 't', pdus: [pdu.json] });
    await until(async () => policyServer.asked.length > 0, 'it is asked');
    await close();
    assert.equal((await selectBacklogs(await backend.open()))[0]?.count, 1);
  });

  it('keeps the order of a batch that lacks signatures', async () => {
    const { name, make, api, context, stored, roomId, policyServer } = await setUp(backend);
    await name();
    let pause = 20;
    policyServer.policy = async (event) => {
      pause -= 5;
      await new Promise((done) => setTimeout(done, pause));
      return policyServer.signature(event);
    };
    const pdus = [await make(message(DAN, '0'))];
    for (let i = 1; i < 4; i++) {
      const prevEvents = [pdus.at(-1)?.eventId as EventId];
      pdus.push(await make({ ...message(DAN, `${i}`), prevEvents, depth: 50 + i }));
    }
    const jsons = pdus.map(({ json }) => json);
    await api.performReceivePdus({ origin: THERE, transactionId: 't', pdus: jsons });
    await context.staged.idle();
    for (const { eventId } of pdus) assert.equal((await stored(eventId)).standing, 'accepted');
    assert.deepEqual(await api.queryRoom({ roomId }).then((room) => room?.forwardExtremities), [
      pdus.at(-1)?.eventId,
    ]);
  });

  it('holds up its own rooms alone', async () => {
    const scene = await setUp(backend);
    const { api, context, keys, policyServer, stored, roomId: free } = scene;
    const { promise: signing, resolve: go } = Promise.withResolvers<void>();
    const slow: RoomId[] = [];
    // More than are received at the same time.
    for (let i = 0; i < 20; i++) {
      const roomId = await makeRoom(scene);
      const join = { roomId, sender: DAN, type: 'm.room.member', stateKey: DAN, content: JOIN };
      const events = [await foreignEvent(scene, keys, join)];
      await api.inputEvents({ roomId, origin: THERE, events, kind: 'new' });
      const { content } = policyServer;
      const named = { roomId, sender: ALICE, type: 'm.room.policy', stateKey: '', content };
      await api.performSendEvent(named);
      slow.push(roomId);
    }
    policyServer.policy = async (event) => {
      await signing;
      return policyServer.signature(event);
    };
    const send = async (roomId: RoomId) => {
      const pdu = await foreignEvent(scene, keys, { roomId, ...message(DAN) });
      await api.performReceivePdus({ origin: THERE, transactionId: 't', pdus: [pdu.json] });
      return pdu.eventId;
    };
    const waiting = await Promise.all(slow.map(send));
    const quick = await send(free);
    await until(async () => (await stored(quick)).standing === 'accepted', 'the free room goes on');
    for (const eventId of waiting) assert.equal((await stored(eventId)).standing, undefined);
    assert.equal(policyServer.asked.length, 2);
    go();
    await context.staged.idle();
    for (const eventId of waiting) assert.equal((await stored(eventId)).standing, 'accepted');
  });

  it('closes to guests even where they may not leave', async () => {
    const { name, api, roomId, policyServer, send } = await setUp(backend);
    await send(ALICE, 'm.room.guest_access', '', { guest_access: 'can_join' });
    const join = { roomIdOrAlias: roomId, userId: BOB, serverNames: [], content: {} };
    await api.performJoin({ ...join, isGuest: true });
    await name();
    policyServer.policy = (event) =>
      event.type === 'm.room.member'
        ? policyServer.refuse('M_FORBIDDEN', 'stay')
        : policyServer.signature(event);
    await send(ALICE, 'm.room.guest_access', '', { guest_access: 'forbidden' });
    assert.deepEqual(policyServer.asked.toSorted(), ['m.room.guest_access', 'm.room.member']);
    const [bob] = await api.queryMemberships({ roomId, userIds: [BOB] });
    assert.equal(bob?.membership, JOIN.membership);
  });
});
