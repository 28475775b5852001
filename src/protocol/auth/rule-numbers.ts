// The numbers of the authorization rules in each room version, counted from one outline: a version
// without a rule numbers all that follow it lower, as its page in the specification does.
// (Version 12 writes two numbers wrongly in its source; as displayed they are counted through, as here.)

import type { RoomVersionId, RoomVersionRules } from '../roomversions/room-version.ts';

type Condition = (rules: RoomVersionRules) => boolean;
const always: Condition = () => true;
const restrictedJoins: Condition = (rules) => rules.restrictedJoins;
const knocking: Condition = (rules) => rules.knocking;
const integerPowerLevels: Condition = (rules) => rules.integerPowerLevels;
const createInAuthEvents: Condition = (rules) => !rules.roomIdIsCreateEventId;
const redactionRule: Condition = (rules) => !rules.redactionsCheckedOnApplication;
const aliasesRule: Condition = (rules) => rules.specialAliasesEvents;

/** Every rule in the order of the specification, with the room versions that have it. A dot leads to a point. */
const OUTLINE = {
  create: always,
  'create.prevEvents': always,
  'create.roomId': always,
  'create.roomVersion': always,
  'create.creator': (rules: RoomVersionRules) => !rules.implicitCreator,
  'create.additionalCreators': (rules: RoomVersionRules) => rules.privilegedCreators,
  room: (rules: RoomVersionRules) => rules.roomIdIsCreateEventId,
  authEvents: always,
  'authEvents.duplicate': always,
  'authEvents.unexpected': always,
  'authEvents.rejected': always,
  'authEvents.create': createInAuthEvents,
  'authEvents.otherRoom': always,
  federate: always,
  aliases: aliasesRule,
  'aliases.stateKey': aliasesRule,
  'aliases.server': aliasesRule,
  member: always,
  'member.form': always,
  'member.authorisedVia': restrictedJoins,
  'member.authorisedVia.signature': restrictedJoins,
  'member.join': always,
  'member.join.creator': always,
  'member.join.sender': always,
  'member.join.banned': always,
  'member.join.invited': always,
  'member.join.restricted': restrictedJoins,
  'member.join.restricted.member': restrictedJoins,
  'member.join.restricted.authorisedVia': restrictedJoins,
  'member.join.public': always,
  'member.join.otherwise': always,
  'member.invite': always,
  'member.invite.thirdParty': always,
  'member.invite.thirdParty.banned': always,
  'member.invite.thirdParty.signed': always,
  'member.invite.thirdParty.properties': always,
  'member.invite.thirdParty.mxid': always,
  'member.invite.thirdParty.token': always,
  'member.invite.thirdParty.sender': always,
  'member.invite.thirdParty.signature': always,
  'member.invite.thirdParty.otherwise': always,
  'member.invite.sender': always,
  'member.invite.target': always,
  'member.invite.level': always,
  'member.invite.otherwise': always,
  'member.leave': always,
  'member.leave.own': always,
  'member.leave.sender': always,
  'member.leave.banned': always,
  'member.leave.level': always,
  'member.leave.otherwise': always,
  'member.ban': always,
  'member.ban.sender': always,
  'member.ban.level': always,
  'member.ban.otherwise': always,
  'member.knock': knocking,
  'member.knock.joinRule': knocking,
  'member.knock.sender': knocking,
  'member.knock.membership': knocking,
  'member.knock.otherwise': knocking,
  'member.unknown': always,
  sender: always,
  thirdPartyInvite: always,
  'thirdPartyInvite.level': always,
  requiredLevel: always,
  stateKey: always,
  powerLevels: always,
  'powerLevels.integers': integerPowerLevels,
  'powerLevels.maps': integerPowerLevels,
  'powerLevels.users': always,
  'powerLevels.creators': (rules: RoomVersionRules) => rules.privilegedCreators,
  'powerLevels.first': always,
  'powerLevels.property': always,
  'powerLevels.property.current': always,
  'powerLevels.property.new': always,
  'powerLevels.entryRemoved': always,
  'powerLevels.entryRemoved.current': always,
  'powerLevels.entryAdded': always,
  'powerLevels.entryAdded.new': always,
  'powerLevels.userRemoved': always,
  'powerLevels.userRemoved.current': always,
  'powerLevels.userAdded': always,
  'powerLevels.userAdded.new': always,
  redaction: redactionRule,
  'redaction.level': redactionRule,
  'redaction.own': redactionRule,
  'redaction.otherwise': redactionRule,
} satisfies Record<string, Condition>;

export type RuleName = keyof typeof OUTLINE;

const numbersByVersion = new Map<RoomVersionId, ReadonlyMap<string, string>>();

/** Throws for a rule that the room version does not have. */
export function ruleNumber(rules: RoomVersionRules, name: RuleName): string {
  const numbers = numbersByVersion.get(rules.id) ?? remember(rules);
  const number = numbers.get(name);
  if (number === undefined) throw new Error(`room version ${rules.id} has no rule ${name}`);
  return number;
}

function remember(rules: RoomVersionRules): ReadonlyMap<string, string> {
  const numbers = countRules(rules);
  numbersByVersion.set(rules.id, numbers);
  return numbers;
}

function countRules(rules: RoomVersionRules): ReadonlyMap<string, string> {
  const numbers = new Map<string, string>();
  const points = new Map<string, number>();
  for (const [name, isPresent] of Object.entries(OUTLINE)) {
    if (!isPresent(rules)) continue;
    const parent = name.slice(0, Math.max(0, name.lastIndexOf('.')));
    const position = (points.get(parent) ?? 0) + 1;
    points.set(parent, position);
    numbers.set(name, parent === '' ? `${position}` : `${numbers.get(parent)}.${position}`);
  }
  return numbers;
}
