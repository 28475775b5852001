// m.room.member with membership `invite` that redeems an m.room.third_party_invite.

import { isJsonObject, type JsonValue } from '../../json.ts';
import { rejectBy } from '../auth-check.ts';
import type { RuleName } from '../rule-numbers.ts';
import { ALLOWED, type Verdict } from '../verdict.ts';
import type { MemberCheck } from './member-check.ts';
import { isSignedByInvite } from './third-party-signature.ts';

type Point = Extract<RuleName, `member.invite.thirdParty.${string}`>;

/** `thirdParty` is `content.third_party_invite`. */
export function authorizeThirdPartyInvite(check: MemberCheck, thirdParty: JsonValue): Verdict {
  const { event, room, rules, target } = check;
  const reject = (point: Point, reason: string) => rejectBy(rules, point, reason);
  if (room.membershipOf(target) === 'ban') {
    return reject('member.invite.thirdParty.banned', 'the invited user is banned');
  }
  const signed = isJsonObject(thirdParty) ? thirdParty.signed : undefined;
  if (!isJsonObject(signed)) {
    return reject('member.invite.thirdParty.signed', 'third_party_invite has nothing signed');
  }
  const { mxid, token } = signed;
  if (typeof mxid !== 'string' || typeof token !== 'string') {
    return reject('member.invite.thirdParty.properties', 'mxid or token is missing');
  }
  if (mxid !== target) {
    return reject('member.invite.thirdParty.mxid', 'mxid is not the invited user');
  }
  const invite = room.thirdPartyInvite(token);
  if (invite === undefined) {
    return reject('member.invite.thirdParty.token', 'the token belongs to no invite of the room');
  }
  if (invite.sender !== event.sender) {
    return reject('member.invite.thirdParty.sender', 'the sender has not made this invite');
  }
  return isSignedByInvite(signed, invite.content)
    ? ALLOWED
    : reject('member.invite.thirdParty.otherwise', 'no key of the invite has signed');
}
