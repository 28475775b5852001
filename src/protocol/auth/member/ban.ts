// m.room.member with membership `ban`.

import { rejectBy } from '../auth-check.ts';
import { ALLOWED, type Verdict } from '../verdict.ts';
import type { MemberCheck } from './member-check.ts';

export function authorizeBan({ event, room, rules, target }: MemberCheck): Verdict {
  if (room.membershipOf(event.sender) !== 'join') {
    return rejectBy(rules, 'member.ban.sender', 'the sender is not in the room');
  }
  const level = room.levels.levelOf(event.sender);
  return level >= room.levels.ban && room.levels.levelOf(target) < level
    ? ALLOWED
    : rejectBy(rules, 'member.ban.otherwise', 'the sender may not ban this user');
}
