import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UserId } from '../../protocol/identifiers.ts';
import { PresenceTracker } from './presence-tracker.ts';

const user = (n: number) => `@user${n}:localhost` as UserId;
const online = { presence: 'online', lastActiveTs: 0 } as const;
const offline = { presence: 'offline', lastActiveTs: 0 } as const;
const all = { after: 0, upTo: Number.MAX_SAFE_INTEGER, limit: Number.MAX_SAFE_INTEGER };

test('of each user the last change counts, in order', () => {
  const told: UserId[] = [];
  const tracker = new PresenceTracker((userId) => told.push(userId));
  for (const n of [1, 2, 3]) tracker.set(user(n), online);
  tracker.set(user(2), online);
  tracker.set(user(1), offline);
  assert.deepEqual(told, [1, 2, 3, 1].map(user));
  const userIds = (range = {}) =>
    tracker.changes({ ...all, ...range }).map((change) => change.userId);
  assert.deepEqual(userIds(), [2, 3, 1].map(user));
  assert.deepEqual(userIds({ after: 2 }), [3, 1].map(user));
  assert.deepEqual(userIds({ limit: 1 }), [user(2)]);
  assert.deepEqual(userIds({ after: 4 }), []);
  // What has changed since is told of when it is asked for.
  assert.deepEqual(userIds({ upTo: 3 }), [2, 3].map(user));
});

test('users who go to and fro take no more room', () => {
  const tracker = new PresenceTracker(() => {});
  for (let n = 0; n < 10_000; n += 1) tracker.set(user(n % 10), n % 20 < 10 ? online : offline);
  assert.equal(tracker.version, 10_000);
  const changes = tracker.changes(all);
  assert.deepEqual(
    changes.map(({ version }) => version),
    Array.from({ length: 10 }, (_, n) => 9_991 + n),
  );
});

test('who is forgotten for want of room has not changed', () => {
  const tracker = new PresenceTracker(() => {}, 2);
  for (const n of [1, 2, 3]) tracker.set(user(n), online);
  assert.deepEqual(
    tracker.changes(all).map(({ userId }) => userId),
    [2, 3].map(user),
  );
});
