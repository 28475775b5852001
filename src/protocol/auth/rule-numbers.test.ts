// The numbers, copied by hand from the pages of the room versions where they change.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rulesOf } from '../roomversions/table.ts';
import { type RuleName, ruleNumber } from './rule-numbers.ts';
import { versionsIn } from './test-room.ts';

type Numbers = Readonly<Partial<Record<RuleName, string | undefined>>>;

const PAGES: Readonly<Record<string, Numbers>> = {
  '1-2': {
    'create.creator': '1.4',
    'authEvents.otherRoom': '2.5',
    federate: '3',
    'aliases.server': '4.2',
    member: '5',
    'member.join.otherwise': '5.2.6',
    'member.invite.thirdParty.otherwise': '5.3.1.8',
    'member.unknown': '5.6',
    sender: '6',
    thirdPartyInvite: '7',
    requiredLevel: '8',
    stateKey: '9',
    'powerLevels.users': '10.1',
    'powerLevels.userAdded.new': '10.7.1',
    'redaction.otherwise': '11.3',
    room: undefined,
    'member.knock': undefined,
  },
  '3-5': { aliases: '4', 'powerLevels.userAdded.new': '10.7.1', redaction: undefined },
  '6': {
    aliases: undefined,
    member: '4',
    'member.ban.otherwise': '4.5.3',
    'member.knock': undefined,
    'member.unknown': '4.6',
    sender: '5',
    thirdPartyInvite: '6',
    requiredLevel: '7',
    stateKey: '8',
    'powerLevels.userAdded.new': '9.7.1',
  },
  '7': {
    'member.knock.otherwise': '4.6.4',
    'member.unknown': '4.7',
    'member.authorisedVia': undefined,
  },
  '8-9': {
    'member.authorisedVia.signature': '4.2.1',
    'member.join.restricted.authorisedVia': '4.3.5.2',
    'member.join.otherwise': '4.3.7',
    'member.invite.thirdParty.otherwise': '4.4.1.8',
    'member.leave.otherwise': '4.5.5',
    'member.ban.otherwise': '4.6.3',
    'member.knock.otherwise': '4.7.4',
    'member.unknown': '4.8',
    'powerLevels.integers': undefined,
    'powerLevels.users': '9.1',
  },
  '10': {
    'create.creator': '1.4',
    'powerLevels.integers': '9.1',
    'powerLevels.maps': '9.2',
    'powerLevels.users': '9.3',
    'powerLevels.first': '9.4',
    'powerLevels.property.new': '9.5.2',
    'powerLevels.entryRemoved.current': '9.6.1',
    'powerLevels.entryAdded.new': '9.7.1',
    'powerLevels.userRemoved.current': '9.8.1',
    'powerLevels.userAdded.new': '9.9.1',
    'powerLevels.creators': undefined,
  },
  '11': {
    'create.creator': undefined,
    'create.roomVersion': '1.3',
    federate: '3',
    'powerLevels.userAdded.new': '9.9.1',
  },
  '12': {
    'create.additionalCreators': '1.4',
    room: '2',
    'authEvents.rejected': '3.3',
    'authEvents.create': undefined,
    'authEvents.otherRoom': '3.4',
    federate: '4',
    'member.form': '5.1',
    'member.unknown': '5.8',
    sender: '6',
    'thirdPartyInvite.level': '7.1',
    requiredLevel: '8',
    stateKey: '9',
    'powerLevels.creators': '10.4',
    'powerLevels.first': '10.5',
    'powerLevels.userRemoved.current': '10.9.1',
    'powerLevels.userAdded.new': '10.10.1',
  },
};

for (const [range, numbers] of Object.entries(PAGES)) {
  test(`the rules of room versions ${range} have the numbers of their page`, () => {
    for (const version of versionsIn(range)) {
      for (const [name, number] of Object.entries(numbers)) {
        const read = () => ruleNumber(rulesOf(version), name as RuleName);
        if (number === undefined) assert.throws(read, { message: /has no rule/ });
        else assert.equal(read(), number, name);
      }
    }
  });
}
