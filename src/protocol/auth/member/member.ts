// The rule of m.room.member: form, then one file per membership.

import { isUserId, serverNameOf } from '../../identifiers.ts';
import { type AuthCheck, rejectBy } from '../auth-check.ts';
import type { Verdict } from '../verdict.ts';
import { authorizeBan } from './ban.ts';
import { authorizeInvite } from './invite.ts';
import { authorizeJoin } from './join.ts';
import { authorizeKnock } from './knock.ts';
import { authorizeLeave } from './leave.ts';
import type { MemberCheck } from './member-check.ts';

export function authorizeMember(check: AuthCheck): Verdict {
  const { event, rules } = check;
  const target = event.stateKey;
  if (target === undefined || event.content.membership === undefined) {
    return rejectBy(rules, 'member.form', 'm.room.member lacks a state key or a membership');
  }
  if (!isVouchedFor(check)) {
    const reason = 'the server in join_authorised_via_users_server has not signed the event';
    return rejectBy(rules, 'member.authorisedVia.signature', reason);
  }
  return authorizeMembership({ ...check, target });
}

/** True when no server has to vouch for the join, or the named one has signed. */
function isVouchedFor({ event, rules, isSignedBy }: AuthCheck): boolean {
  const userId = event.content.join_authorised_via_users_server;
  if (!rules.restrictedJoins || userId === undefined) return true;
  return isUserId(userId) && isSignedBy(serverNameOf(userId));
}

function authorizeMembership(check: MemberCheck): Verdict {
  const { event, rules } = check;
  switch (event.membership) {
    case 'join':
      return authorizeJoin(check);
    case 'invite':
      return authorizeInvite(check);
    case 'leave':
      return authorizeLeave(check);
    case 'ban':
      return authorizeBan(check);
    case 'knock':
      if (rules.knocking) return authorizeKnock(check);
  }
  return rejectBy(rules, 'member.unknown', 'the membership is not known');
}
