import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pdu } from '../events/pdu.ts';
import { ROOM_VERSIONS } from '../roomversions/table.ts';
import { type AuthEvent, authorizeAuthEvents } from './authorize.ts';
import { MEMBER, MODERATOR, ruleOf, TestRoom } from './test-room.ts';

interface Listed {
  readonly room: TestRoom;
  readonly isV12: boolean;
  readonly list: AuthEvent[];
}

const listed = (pdu: Pdu | undefined, rejected = false): AuthEvent => {
  assert.ok(pdu);
  return { pdu, rejected };
};

/** Changes the proper auth events of a topic by a moderator, and expects a rule. */
function testList(
  name: string,
  change: (listed: Listed) => AuthEvent[],
  expected: { readonly before12: string; readonly in12: string },
): void {
  test(name, () => {
    for (const version of ROOM_VERSIONS) {
      const room = TestRoom.furnished(version);
      const isV12 = version === '12';
      const list = [
        ...(isV12 ? [] : [listed(room.create)]),
        listed(room.lookup('m.room.power_levels', '')),
        listed(room.lookup('m.room.member', MODERATOR)),
      ];
      const event = room.event({ type: 'm.room.topic', stateKey: '', sender: MODERATOR });
      const verdict = authorizeAuthEvents(event, change({ room, isV12, list }), room.rules);
      assert.equal(
        ruleOf(verdict),
        isV12 ? expected.in12 : expected.before12,
        `version ${version}`,
      );
    }
  });
}

const ALLOWED = { before12: 'allowed', in12: 'allowed' };

testList('the selected auth events are allowed', ({ list }) => list, ALLOWED);
testList('in any order', ({ list }) => list.toReversed(), ALLOWED);
testList(
  'some may be missing, but for m.room.create where it is listed',
  ({ list, isV12 }) => (isV12 ? [] : list.slice(0, 1)),
  ALLOWED,
);
testList(
  'two of the same state are refused',
  ({ list, room }) => [...list, listed(room.setLevels({ ban: 1 }))],
  { before12: '2.1', in12: '3.1' },
);
testList('the same event twice is refused', ({ list }) => [...list, ...list.slice(-1)], {
  before12: '2.1',
  in12: '3.1',
});
testList(
  'state that does not authorize the event is refused',
  ({ list, room }) => [...list, listed(room.lookup('m.room.member', MEMBER))],
  { before12: '2.2', in12: '3.2' },
);
testList(
  'what is no state is refused',
  ({ list, room }) => [...list, listed(room.event({ type: 'm.room.message' }))],
  { before12: '2.2', in12: '3.2' },
);
testList(
  'a power level event with a state key is refused',
  ({ list, room }) => [...list, listed(room.event({ type: 'm.room.power_levels', stateKey: 'x' }))],
  { before12: '2.2', in12: '3.2' },
);
testList(
  'm.room.create is refused where the room ID implies it',
  ({ list, room }) => [listed(room.create), ...list.filter(({ pdu }) => pdu !== room.create)],
  { before12: 'allowed', in12: '3.2' },
);
testList(
  'a rejected one is refused',
  ({ list }) => list.map((entry, i) => ({ ...entry, rejected: i === list.length - 1 })),
  { before12: '2.3', in12: '3.3' },
);
testList(
  'm.room.create must be listed where it is listed',
  ({ list, room }) => list.filter(({ pdu }) => pdu !== room.create),
  { before12: '2.4', in12: 'allowed' },
);
testList(
  'an event of another room is refused',
  ({ list, room }) => [
    ...list.slice(0, -1),
    listed(
      room.event({ type: 'm.room.member', stateKey: MODERATOR, roomId: '!elsewhere:home.org' }),
    ),
  ],
  { before12: '2.5', in12: '3.4' },
);

test('m.room.create has no rule about its auth events', () => {
  const room = new TestRoom('11');
  const verdict = authorizeAuthEvents(room.create, [listed(room.create)], room.rules);
  assert.equal(verdict.allowed, true);
});
