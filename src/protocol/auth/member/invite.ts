// m.room.member with membership `invite`.

import { rejectBy } from '../auth-check.ts';
import { ALLOWED, type Verdict } from '../verdict.ts';
import type { MemberCheck } from './member-check.ts';
import { authorizeThirdPartyInvite } from './third-party-invite.ts';

export function authorizeInvite(check: MemberCheck): Verdict {
  const { event, room, rules, target } = check;
  const thirdParty = event.content.third_party_invite;
  if (thirdParty !== undefined) return authorizeThirdPartyInvite(check, thirdParty);
  if (room.membershipOf(event.sender) !== 'join') {
    return rejectBy(rules, 'member.invite.sender', 'the sender is not in the room');
  }
  const membership = room.membershipOf(target);
  if (membership === 'join' || membership === 'ban') {
    return rejectBy(rules, 'member.invite.target', 'the invited user is joined or banned');
  }
  return room.levels.levelOf(event.sender) >= room.levels.invite
    ? ALLOWED
    : rejectBy(rules, 'member.invite.otherwise', 'the sender may not invite');
}
