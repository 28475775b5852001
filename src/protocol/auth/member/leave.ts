// m.room.member with membership `leave`: leaving, rejecting an invite, kicking, unbanning.

import { rejectBy } from '../auth-check.ts';
import { ALLOWED, type Verdict } from '../verdict.ts';
import type { MemberCheck } from './member-check.ts';

export function authorizeLeave(check: MemberCheck): Verdict {
  const { event, room, rules, target } = check;
  const membership = room.membershipOf(target);
  if (event.sender === target) {
    return canLeave(check, membership)
      ? ALLOWED
      : rejectBy(rules, 'member.leave.own', 'the sender has nothing to leave');
  }
  if (room.membershipOf(event.sender) !== 'join') {
    return rejectBy(rules, 'member.leave.sender', 'the sender is not in the room');
  }
  const level = room.levels.levelOf(event.sender);
  if (membership === 'ban' && level < room.levels.ban) {
    return rejectBy(rules, 'member.leave.banned', 'the sender may not unban');
  }
  return level >= room.levels.kick && room.levels.levelOf(target) < level
    ? ALLOWED
    : rejectBy(rules, 'member.leave.otherwise', 'the sender may not kick this user');
}

function canLeave({ rules }: MemberCheck, membership: string | undefined): boolean {
  if (membership === 'knock') return rules.knocking;
  return membership === 'invite' || membership === 'join';
}
