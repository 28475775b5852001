import { MEMBER, MODERATOR, type RuleCase, testRules } from './test-room.ts';

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
