// m.room.member with membership `knock`.

import { rejectBy } from '../auth-check.ts';
import { ALLOWED, type Verdict } from '../verdict.ts';
import type { MemberCheck } from './member-check.ts';

export function authorizeKnock({ event, room, rules, target }: MemberCheck): Verdict {
  const joinRule = room.joinRule();
  if (joinRule !== 'knock' && !(rules.knockRestricted && joinRule === 'knock_restricted')) {
    return rejectBy(rules, 'member.knock.joinRule', 'the join rules do not allow to knock');
  }
  if (event.sender !== target) {
    return rejectBy(rules, 'member.knock.sender', 'only users themselves can knock');
  }
  const membership = room.membershipOf(event.sender);
  return membership === 'ban' || membership === 'invite' || membership === 'join'
    ? rejectBy(rules, 'member.knock.otherwise', 'the sender is banned, invited or joined')
    : ALLOWED;
}
