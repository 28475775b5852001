// GET /notifications: what the push rules make of what happened, page by page.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { ALICE, BOB, type Body, type Harness, openHarness, viewer } from '../testing/harness.ts';

const RULES = {
  global: {
    content: [
      {
        rule_id: 'word',
        pattern: 'alert',
        enabled: true,
        actions: ['notify', { set_tweak: 'highlight' }, { set_tweak: 'sound', value: 'ding' }],
      },
    ],
    underride: [
      {
        rule_id: 'message',
        enabled: true,
        conditions: [{ kind: 'event_match', key: 'type', pattern: 'm.room.message' }],
        actions: ['notify'],
      },
    ],
  },
};

interface Question {
  readonly from?: string;
  readonly limit?: number;
  readonly onlyHighlights?: boolean;
}

async function ask(harness: Harness, question: Question = {}): Promise<Body> {
  await harness.settled();
  const rest = { limit: 50, onlyHighlights: false, ...question };
  return harness.api.notifications({ viewer: viewer(ALICE), ...rest });
}

const bodiesOf = ({ notifications }: Body): string[] =>
  notifications.map(({ event }: Body) => event.content.body);

forEachBackend('notifications', (backend) => {
  async function roomOfTwo(): Promise<{ harness: Harness; room: RoomId }> {
    const harness = await openHarness(backend);
    harness.users.pushRules = RULES;
    const room = await harness.rooms.createRoom(BOB);
    await harness.rooms.message(room, BOB, 'before the join');
    await harness.rooms.member(room, ALICE, 'join');
    return { harness, room };
  }

  test('what others said since one joined, newest first, with the actions of the rule', async () => {
    const { harness, room } = await roomOfTwo();
    await harness.rooms.message(room, BOB, 'hello');
    await harness.rooms.message(room, ALICE, 'my own');
    harness.clock.advance(1000);
    await harness.rooms.message(room, BOB, 'an alert');
    await harness.rooms.send(room, {
      sender: BOB,
      type: 'org.example',
      content: { body: 'quiet' },
    });
    const answer = await ask(harness);
    assert.deepEqual(bodiesOf(answer), ['an alert', 'hello']);
    assert.equal('next_token' in answer, false);
    const [newest, oldest] = answer.notifications;
    assert.deepEqual(newest.actions, [
      'notify',
      { set_tweak: 'highlight' },
      { set_tweak: 'sound', value: 'ding' },
    ]);
    assert.deepEqual(oldest.actions, ['notify']);
    assert.deepEqual([newest.room_id, newest.ts], [room, harness.clock.now()]);
    assert.equal(newest.event.room_id, undefined);
    assert.deepEqual([newest.read, oldest.read], [false, true]);
  });

  test('only highlights when asked for', async () => {
    const { harness, room } = await roomOfTwo();
    for (const body of ['alert 1', 'plain', 'alert 2'])
      await harness.rooms.message(room, BOB, body);
    assert.deepEqual(bodiesOf(await ask(harness, { onlyHighlights: true })), [
      'alert 2',
      'alert 1',
    ]);
  });

  test('pages over several rooms meet without gap or overlap', async () => {
    const { harness, room } = await roomOfTwo();
    const other = await harness.rooms.createRoom(BOB);
    await harness.rooms.member(other, ALICE, 'join');
    const all: string[] = [];
    for (let n = 0; n < 7; n += 1) {
      await harness.rooms.message(n % 2 === 0 ? room : other, BOB, `${n}`);
      all.unshift(`${n}`);
    }
    const found: string[] = [];
    let from: string | undefined;
    do {
      const answer: Body = await ask(harness, { limit: 3, ...(from && { from }) });
      assert.ok(answer.notifications.length <= 3);
      found.push(...bodiesOf(answer));
      from = answer.next_token;
      // What comes meanwhile is not for this walk.
      await harness.rooms.message(room, BOB, 'new');
    } while (from !== undefined);
    assert.deepEqual(found, all);
  });

  test('a receipt reads what came before it', async () => {
    const { harness, room } = await roomOfTwo();
    const read = await harness.rooms.message(room, BOB, 'one');
    await harness.rooms.message(room, BOB, 'two');
    const flags = async () => (await ask(harness)).notifications.map((each: Body) => each.read);
    assert.deepEqual(await flags(), [false, false]);
    await harness.receipt(room, ALICE, { eventId: read });
    assert.deepEqual(await flags(), [false, true]);
  });

  test('nothing of ignored users, of rooms that one has left, of what was redacted to nothing', async () => {
    const { harness, room } = await roomOfTwo();
    const left = await harness.rooms.createRoom(BOB);
    await harness.rooms.member(left, ALICE, 'join');
    await harness.rooms.message(left, BOB, 'left');
    await harness.rooms.member(left, ALICE, 'leave');
    const redacted = await harness.rooms.message(room, BOB, 'alert');
    await harness.rooms.redact(room, redacted);
    const answer = await ask(harness, { onlyHighlights: true });
    assert.deepEqual(bodiesOf(answer), []);
    await harness.rooms.message(room, BOB, 'hello');
    await harness.users.ignore(ALICE, BOB);
    assert.deepEqual(bodiesOf(await ask(harness)), []);
  });

  test('nobody without rooms is notified, and foreign tokens are refused', async () => {
    const harness = await openHarness(backend);
    assert.deepEqual(await ask(harness), { notifications: [] });
    const refused = { name: 'MatrixError', errcode: 'M_INVALID_PARAM' };
    await assert.rejects(ask(harness, { from: 'nonsense' }), refused);
  });
});
