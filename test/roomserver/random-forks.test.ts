// Random histories with many forks: what the roomserver resolves by walking differences is what the algorithm makes of
// the whole states.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { StateSnapshotId } from '../../src/eventlog/entries.ts';
import type { Pdu } from '../../src/protocol/events/pdu.ts';
import type { EventId, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { RoomVersionId } from '../../src/protocol/roomversions/room-version.ts';
import { rulesOf } from '../../src/protocol/roomversions/table.ts';
import { resolveStateMaps } from '../../src/protocol/stateres/resolve.ts';
import { stateKeyOf } from '../../src/protocol/stateres/state-key.ts';
import type { EventRecord } from '../../src/roomserver/event-record.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { ALICE } from './harness.ts';
import { DAN, type Scene, setUp } from './scene.ts';

const EVENTS_PER_HISTORY = 40;
const USERS = [ALICE, DAN, '@fay:there.test' as UserId, '@gil:there.test' as UserId];

function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Choice {
  readonly type: string;
  readonly stateKey?: string;
  readonly content: JsonObject;
}

function choose(random: (below: number) => number, version: RoomVersionId): Choice {
  const user = USERS[1 + random(USERS.length - 1)] as UserId;
  const member = (membership: string) => ({
    type: 'm.room.member',
    stateKey: user,
    content: { membership },
  });
  const creator = version === '12' ? {} : { [ALICE]: 100 };
  const levels = { users: { ...creator, [DAN]: 50, [user]: 10 * random(8) }, 'test.n': random(99) };
  const choices: Choice[] = [
    { type: 'm.room.topic', stateKey: '', content: { topic: String(random(1000)) } },
    { type: 'm.room.name', stateKey: '', content: { name: String(random(1000)) } },
    { type: 'm.room.message', content: { body: 'x' } },
    { type: 'm.room.power_levels', stateKey: '', content: levels },
    {
      type: 'm.room.join_rules',
      stateKey: '',
      content: { join_rule: random(2) === 0 ? 'public' : 'invite' },
    },
    member('ban'),
    member('leave'),
    member('invite'),
    member('join'),
    member('join'),
  ];
  return choices[random(choices.length)] as Choice;
}

/** What the algorithm makes of the states after the extremities, each taken as a whole. */
async function resolvedWhole(scene: Scene, version: RoomVersionId): Promise<Map<string, EventId>> {
  const { context, roomId } = scene;
  const head = await context.rooms.head(roomId);
  const states = context.states.ofRoom(roomId);
  const mapOf = async (snapshot: StateSnapshotId) => {
    const entries = await states.entries(snapshot, 'all');
    return new Map(entries.map((entry) => [stateKeyOf(entry.type, entry.stateKey), entry.eventId]));
  };
  const maps: Map<string, EventId>[] = [];
  for (const { stateAfter } of head?.extremities ?? []) maps.push(await mapOf(stateAfter));
  const records = await everything(scene, maps);
  const record = (id: EventId) => records.get(id) as EventRecord;
  const resolved = resolveStateMaps(maps, {
    rules: rulesOf(version),
    event: (id) => record(id).pdu,
    isRejected: (id) => record(id).standing === 'rejected',
  });
  return new Map(resolved);
}

async function everything(
  { context, roomId }: Scene,
  maps: readonly Map<string, EventId>[],
): Promise<Map<EventId, EventRecord>> {
  const head = await context.rooms.head(roomId);
  const wanted = new Set(maps.flatMap((map) => [...map.values()]));
  if (head?.createEventId !== undefined) wanted.add(head.createEventId);
  const found = new Map<EventId, EventRecord>();
  // The set grows while it is walked.
  for (const id of wanted) {
    const record = await context.events.get(id);
    assert.ok(record);
    found.set(id, record);
    for (const authId of record.pdu.authEvents) wanted.add(authId);
  }
  return found;
}

forEachBackend('random forks', (backend) => {
  for (const roomVersion of ['1', '2', '11', '12'] as const) {
    for (const seed of backend.engine === 'sqlite' ? [1, 2] : [3]) {
      it(`resolves as the algorithm does, version ${roomVersion}, seed ${seed}`, async () => {
        const random = randomNumbers(seed * 7919);
        const scene = await setUp(backend, { roomVersion });
        const creator = roomVersion === '12' ? {} : { [ALICE]: 100 };
        await scene.send(ALICE, 'm.room.power_levels', '', { users: { ...creator, [DAN]: 50 } });
        const made: Pdu[] = [
          await scene.accept({ sender: DAN, type: 'm.room.message', content: { body: 'start' } }),
        ];
        const fates = new Map<string, number>();
        let forks = 0;
        for (let n = 0; n < EVENTS_PER_HISTORY; n++) {
          const prevEvents = new Set<EventId>();
          for (let k = 0; k <= random(3); k++) {
            const recent = made.slice(-8);
            prevEvents.add((recent[random(recent.length)] as Pdu).eventId);
          }
          const choice = choose(random, roomVersion);
          const isOwn = choice.content.membership === 'join';
          const sender = (isOwn ? choice.stateKey : USERS[random(USERS.length)]) as UserId;
          scene.clock.advance(random(50));
          const pdu = await scene.make({ ...choice, sender, prevEvents: [...prevEvents] });
          const [fate] = await scene.input(pdu);
          fates.set(fate?.fate ?? '', 1 + (fates.get(fate?.fate ?? '') ?? 0));
          if (fate?.fate === 'accepted' || fate?.fate === 'softFailed') made.push(pdu);
          const head = await scene.context.rooms.head(scene.roomId);
          if ((head?.extremities.length ?? 0) > 1) forks++;
          const whole = await resolvedWhole(scene, roomVersion);
          const { entries } = await scene.api.queryStateIds({
            roomId: scene.roomId,
            members: 'all',
          });
          const ours = entries.map((entry) => [
            stateKeyOf(entry.type, entry.stateKey),
            entry.eventId,
          ]);
          assert.deepEqual(ours.sort(), [...whole].sort());
        }
        assert.ok(forks > 10, `${forks} forks`);
        assert.ok((fates.get('accepted') ?? 0) > 10, JSON.stringify([...fates]));
        await checkCounts(scene);
        await scene.close();
      });
    }
  }
});

/** The head's counts, kept by changes, agree with the state that has come of them. */
async function checkCounts(scene: Scene): Promise<void> {
  const { api, roomId } = scene;
  const room = await api.queryRoom({ roomId });
  const members = await api.queryMemberships({ roomId, userIds: USERS });
  const count = (wanted: string) =>
    members.filter(({ membership }) => membership === wanted).length;
  assert.deepEqual([room?.joinedMembers, room?.invitedMembers], [count('join'), count('invite')]);
  const state = new Map<string, EventId>();
  for (const entry of await scene.entries(roomId)) {
    if (entry.kind !== 'NewRoomEvent' && entry.kind !== 'StateReplaced') continue;
    for (const { type, stateKey, eventId, replacedEventId } of entry.stateChanges) {
      const key = stateKeyOf(type, stateKey);
      assert.equal(replacedEventId, state.get(key));
      if (eventId === undefined) state.delete(key);
      else state.set(key, eventId);
    }
  }
  const { entries } = await api.queryStateIds({ roomId, members: 'all' });
  const current = entries.map((entry) => [stateKeyOf(entry.type, entry.stateKey), entry.eventId]);
  assert.deepEqual([...state].sort(), current.sort());
}
