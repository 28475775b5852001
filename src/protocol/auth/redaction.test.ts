import assert from 'node:assert/strict';
import { test } from 'node:test';
import { powerLevels } from './power-levels.ts';
import { isRedactionApplicable } from './redaction.ts';
import { FOREIGNER, MEMBER, MODERATOR, type RuleCase, TestRoom, testRules } from './test-room.ts';

const redaction = { type: 'm.room.redaction', id: '$redaction:home.org' };
const CASES: readonly RuleCase[] = [
  {
    name: 'the redact level allows to redact anything',
    event: { ...redaction, sender: MODERATOR, redacts: '$x:away.org' },
    verdict: { '1-12': 'allowed' },
  },
  {
    name: 'members redact events of their own server',
    event: { ...redaction, sender: MEMBER, redacts: '$x:home.org' },
    verdict: { '1-12': 'allowed' },
  },
  {
    name: "members do not redact another server's events; later versions check when it is applied",
    event: { ...redaction, sender: MEMBER, redacts: '$x:away.org' },
    verdict: { '1-2': '11.3', '3-12': 'allowed' },
  },
  {
    name: 'a redaction of nothing is no redaction of an own event',
    event: { ...redaction, sender: MEMBER },
    verdict: { '1-2': '11.3', '3-12': 'allowed' },
  },
  {
    name: 'an event without server name is of no server',
    event: { ...redaction, id: '$redaction', sender: MEMBER, redacts: '$x' },
    verdict: { '1-2': '11.3', '3-12': 'allowed' },
  },
];

testRules(CASES);

test('a redaction is applied when the sender may redact, or is of the same server', () => {
  const room = TestRoom.furnished('11');
  const levels = powerLevels(room.lookup, room.rules);
  const isApplicable = (by: string, of: string, roomId = room.roomId) =>
    isRedactionApplicable(
      {
        redaction: room.event({ ...redaction, sender: by }),
        original: room.event({ type: 'm.room.message', sender: of, roomId }),
        levels,
      },
      room.rules,
    );
  assert.equal(isApplicable(MEMBER, MEMBER), true);
  assert.equal(isApplicable(MEMBER, MODERATOR), true, 'same server');
  assert.equal(isApplicable(MEMBER, FOREIGNER), false);
  assert.equal(isApplicable(MODERATOR, FOREIGNER), true);
  assert.equal(isApplicable(MODERATOR, FOREIGNER, '!other:home.org'), false);
});

test('a redaction that was authorized on receipt is applied', () => {
  const room = TestRoom.furnished('2');
  const original = room.event({ type: 'm.room.message', sender: FOREIGNER });
  const accepted = room.event({ ...redaction, sender: MEMBER, redacts: original.eventId });
  const levels = powerLevels(room.lookup, room.rules);
  assert.equal(isRedactionApplicable({ redaction: accepted, original, levels }, room.rules), true);
});
