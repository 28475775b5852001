// Redactions: who may, in whatever order the events come, and what is left.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Pdu } from '../../src/protocol/events/pdu.ts';
import type { EventId, UserId } from '../../src/protocol/identifiers.ts';
import { rulesOf } from '../../src/protocol/roomversions/table.ts';
import type { StoredEvent } from '../../src/roomserver/api.ts';
import { storeOutliers } from '../../src/roomserver/input/outliers.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { tampered } from './foreign-server.ts';
import { ALICE, BOB, makeRoom, text } from './harness.ts';
import { DAN, JOIN, message, type Scene, setUp, THERE } from './scene.ts';

const redaction = (sender: UserId, redacts: EventId) => ({
  sender,
  type: 'm.room.redaction',
  content: { reason: 'spam' },
  redacts,
});

async function stored({ api }: Scene, eventId: EventId): Promise<StoredEvent | undefined> {
  return (await api.queryEvents({ eventIds: [eventId] }))[0];
}

async function say({ api, roomId }: Scene, sender: UserId): Promise<EventId> {
  const content = text('indiscreet');
  return (await api.performSendEvent({ roomId, sender, type: 'm.room.message', content })).eventId;
}

forEachBackend('redactions', (backend) => {
  for (const roomVersion of ['2', '10', '11', '12'] as const) {
    it(`takes the content away, in memory and on disk, version ${roomVersion}`, async () => {
      const scene = await setUp(backend, { roomVersion });
      const eventId = await say(scene, ALICE);
      const sent = await scene.api.performSendEvent({
        roomId: scene.roomId,
        ...redaction(ALICE, eventId),
      });
      const check = async (found: StoredEvent | undefined) => {
        assert.deepEqual(found?.json.content, {});
        assert.equal(found?.redactedBecause?.eventId, sent.eventId);
        assert.equal(found?.redactedBecause?.json.content.reason, 'spam');
      };
      await check(await stored(scene, eventId));
      const entry = (await scene.entries(scene.roomId)).at(-1);
      assert.ok(entry?.kind === 'RedactedEvent');
      assert.deepEqual([entry.redacted, entry.redaction], [eventId, sent.eventId]);
      scene.context.events.forgetAll();
      await check(await stored(scene, eventId));
      await scene.close();
    });

    it(`waits for the event when the redaction comes first, version ${roomVersion}`, async () => {
      const scene = await setUp(backend, { roomVersion });
      const target = await scene.make(message(DAN, 'indiscreet'));
      const redacting = await scene.make(redaction(DAN, target.eventId));
      await scene.input(redacting);
      const isShownAtOnce = roomVersion === '2';
      assert.equal((await stored(scene, redacting.eventId)) !== undefined, isShownAtOnce);
      const before = await scene.entries(scene.roomId);
      await scene.input(target);
      const entries = (await scene.entries(scene.roomId)).slice(before.length);
      assert.deepEqual(
        entries.map((entry) => (entry.kind === 'NewRoomEvent' ? entry.event.eventId : entry.kind)),
        isShownAtOnce
          ? [target.eventId, 'RedactedEvent']
          : [target.eventId, redacting.eventId, 'RedactedEvent'],
      );
      const [told] = entries;
      assert.deepEqual(told?.kind === 'NewRoomEvent' && told.event.json.content, {});
      assert.equal(
        (await stored(scene, target.eventId))?.redactedBecause?.eventId,
        redacting.eventId,
      );
      assert.ok(await stored(scene, redacting.eventId));
      scene.context.events.forgetAll();
      assert.deepEqual((await stored(scene, target.eventId))?.json.content, {});
      assert.ok(await stored(scene, redacting.eventId));
      await scene.close();
    });
  }

  it('withholds a redaction that does not apply, and does nothing', async () => {
    const scene = await setUp(backend);
    const eventId = await say(scene, ALICE);
    const before = await scene.entries(scene.roomId);
    const powerless = await scene.make(redaction(DAN, eventId));
    assert.equal((await scene.input(powerless))[0]?.fate, 'accepted');
    assert.deepEqual((await stored(scene, eventId))?.json.content, text('indiscreet'));
    assert.equal(await stored(scene, powerless.eventId), undefined);
    assert.deepEqual(await scene.entries(scene.roomId), before);
    const room = await scene.api.queryRoom({ roomId: scene.roomId });
    assert.deepEqual(room?.forwardExtremities, [powerless.eventId]);
    await scene.close();
  });

  it('lets local users redact what is theirs, and with power what is not', async () => {
    const scene = await setUp(backend);
    const { roomId, api } = scene;
    for (const userId of [BOB, '@carol:here.test' as UserId]) {
      await api.performJoin({ roomIdOrAlias: roomId, userId, serverNames: [], content: {} });
    }
    const ofBob = await say(scene, BOB);
    const send = (sender: UserId, redacts: EventId) =>
      api.performSendEvent({ roomId, ...redaction(sender, redacts) });
    const carol = '@carol:here.test' as UserId;
    await assert.rejects(send(carol, ofBob), { errcode: 'M_FORBIDDEN' });
    await assert.rejects(send(carol, '$none' as EventId), { errcode: 'M_NOT_FOUND' });
    const elsewhere = await makeRoom(scene);
    const foreign = await api.performSendEvent({
      roomId: elsewhere,
      sender: ALICE,
      type: 'm.room.message',
      content: text('x'),
    });
    await assert.rejects(send(ALICE, foreign.eventId), { errcode: 'M_INVALID_PARAM' });
    await send(BOB, ofBob);
    const another = await say(scene, BOB);
    await send(ALICE, another);
    assert.deepEqual((await stored(scene, another))?.json.content, {});
    await scene.close();
  });

  it('redacts a redaction', async () => {
    const scene = await setUp(backend);
    const eventId = await say(scene, ALICE);
    const first = await scene.api.performSendEvent({
      roomId: scene.roomId,
      ...redaction(ALICE, eventId),
    });
    await scene.api.performSendEvent({ roomId: scene.roomId, ...redaction(ALICE, first.eventId) });
    assert.equal((await stored(scene, first.eventId))?.json.content.reason, undefined);
    assert.equal((await stored(scene, eventId))?.redactedBecause?.eventId, first.eventId);
    await scene.close();
  });

  it('keeps what a redacted state event decides', async () => {
    const scene = await setUp(backend);
    const { roomId, api } = scene;
    const [member] = await api.queryMemberships({ roomId, userIds: [DAN] });
    await api.performSendEvent({ roomId, ...redaction(ALICE, member?.eventId as EventId) });
    assert.equal((await api.queryMemberships({ roomId, userIds: [DAN] }))[0]?.membership, 'join');
    await scene.accept(message(DAN));
    const visibility = await scene.send(ALICE, 'm.room.history_visibility', '', {
      history_visibility: 'world_readable',
    });
    await api.performSendEvent({ roomId, ...redaction(ALICE, visibility) });
    assert.equal((await api.queryRoom({ roomId }))?.visibility, 'world_readable');
    assert.deepEqual(JOIN, { membership: 'join' });
    await scene.close();
  });

  for (const roomVersion of ['2', '10'] as const) {
    for (const kind of ['new', 'old'] as const) {
      it(`takes the content of what was known for it alone, version ${roomVersion}, ${kind}`, async () => {
        const scene = await setUp(backend, { roomVersion, state: [ALL_MAY] });
        const topic = await scene.make(TOPIC);
        await storeAsOutlier(scene, topic);
        const redacting = await scene.accept(redaction(DAN, topic.eventId));
        const { roomId } = scene;
        const [fate] = await scene.api.inputEvents({
          roomId,
          origin: THERE,
          kind,
          events: [topic],
        });
        assert.equal(fate?.fate, 'accepted', JSON.stringify(fate));
        const found = await stored(scene, topic.eventId);
        assert.deepEqual(found?.json.content, {});
        assert.equal(found?.redactedBecause?.eventId, redacting.eventId);
        await scene.close();
      });
    }
  }

  it('keeps what it knows whole where the event itself comes garbled', async () => {
    const scene = await setUp(backend, { state: [ALL_MAY] });
    const topic = await scene.make(TOPIC);
    await storeAsOutlier(scene, topic);
    const garbled = tampered(topic, { content: { topic: 'something else' } });
    assert.equal((await scene.input(garbled))[0]?.fate, 'accepted');
    assert.deepEqual((await stored(scene, topic.eventId))?.json.content, TOPIC.content);
    await scene.close();
  });

  it('waits also for what becomes known for its content', async () => {
    const scene = await setUp(backend, { state: [ALL_MAY] });
    const topic = await scene.make(TOPIC);
    const redacting = await scene.accept(redaction(DAN, topic.eventId));
    await storeAsOutlier(scene, topic);
    const record = await scene.context.events.get(topic.eventId);
    assert.deepEqual(record?.pdu.content, {});
    assert.ok(await stored(scene, redacting.eventId));
    assert.equal((await scene.input(topic))[0]?.fate, 'accepted');
    assert.deepEqual((await stored(scene, topic.eventId))?.json.content, {});
    await scene.close();
  });

  it('waits also for what is soft-failed, and may yet be state', async () => {
    const scene = await setUp(backend, { state: [ALL_MAY] });
    const topic = await scene.make(TOPIC);
    await scene.accept(redaction(DAN, topic.eventId));
    await scene.send(ALICE, 'm.room.power_levels', '', { users: { [ALICE]: 100 } });
    assert.equal((await scene.input(topic))[0]?.fate, 'softFailed');
    assert.deepEqual((await scene.context.events.get(topic.eventId))?.pdu.content, {});
    await scene.close();
  });

  it('waits for a redaction that is redacted', async () => {
    const scene = await setUp(backend);
    const eventId = await say(scene, ALICE);
    const spam = await scene.make(redaction(DAN, eventId));
    await scene.accept(redaction(DAN, spam.eventId));
    assert.equal((await scene.input(spam))[0]?.fate, 'accepted');
    assert.equal((await scene.context.events.get(spam.eventId))?.pdu.content.reason, undefined);
    await scene.close();
  });
});

const ALL_MAY = {
  type: 'm.room.power_levels',
  content: { users: { [ALICE]: 100 }, state_default: 0 },
};
const TOPIC = {
  sender: DAN,
  type: 'm.room.topic',
  stateKey: '',
  content: { topic: 'indiscreet' },
};

async function storeAsOutlier({ context, roomId }: Scene, pdu: Pdu): Promise<void> {
  const rules = rulesOf(pdu.roomVersion);
  const events = [{ pdu, signedBy: new Set([THERE]) }];
  const createEventId = (await context.rooms.head(roomId))?.createEventId;
  await storeOutliers(context, { roomId, rules, events, createEventId });
}
