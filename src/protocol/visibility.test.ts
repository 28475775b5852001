import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canSeeEvent, type HistoryVisibility, isWorldReadable, moreOpen } from './visibility.ts';

const VISIBILITIES: HistoryVisibility[] = ['joined', 'invited', 'shared', 'world_readable'];
const MEMBERSHIPS = [undefined, 'join', 'invite', 'leave', 'ban', 'knock'] as const;

/** Memberships at the event that suffice, without and with a later join. */
const TABLE: Record<HistoryVisibility, [allowed: unknown[], withLaterJoin: unknown[]]> = {
  world_readable: [[...MEMBERSHIPS], [...MEMBERSHIPS]],
  shared: [['join'], [...MEMBERSHIPS]],
  invited: [
    ['join', 'invite'],
    ['join', 'invite'],
  ],
  joined: [['join'], ['join']],
};

for (const visibility of VISIBILITIES) {
  for (const membership of MEMBERSHIPS) {
    for (const joinedLater of [false, true]) {
      test(`${visibility}, membership ${membership}, joined later: ${joinedLater}`, () => {
        const expected = TABLE[visibility][joinedLater ? 1 : 0].includes(membership);
        assert.equal(canSeeEvent({ visibility, membership, joinedLater }), expected);
      });
    }
  }
}

test('one sees one’s own membership events by the membership before or after', () => {
  const sees = (
    before: string | undefined,
    after: string,
    visibility: HistoryVisibility = 'joined',
  ) => canSeeEvent({ visibility, membership: before, membershipAfter: after, joinedLater: false });
  assert.equal(sees(undefined, 'join'), true);
  assert.equal(sees('join', 'leave'), true);
  assert.equal(sees('join', 'ban'), true);
  assert.equal(sees(undefined, 'invite', 'invited'), true);
  assert.equal(sees(undefined, 'invite'), false);
  assert.equal(sees('leave', 'ban', 'shared'), false);
  // The end of an invite or knock, which its user has to learn of.
  assert.equal(sees('invite', 'leave'), true);
  assert.equal(sees('knock', 'ban'), true);
});

test('the more open of two visibilities', () => {
  for (const [i, a] of VISIBILITIES.entries()) {
    for (const [j, b] of VISIBILITIES.entries()) {
      assert.equal(moreOpen(a, b), VISIBILITIES[Math.max(i, j)]);
    }
  }
  assert.deepEqual(VISIBILITIES.map(isWorldReadable), [false, false, false, true]);
});
