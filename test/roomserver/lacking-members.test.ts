// Who is missing from a state that arrived, since the keys of her server could not be had just then: heard once they can be,
// whatever else has arrived meanwhile.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { EventId } from '../../src/protocol/identifiers.ts';
import type { EventFate } from '../../src/roomserver/api.ts';
import { noMissingEvents } from '../../src/roomserver/input/missing-events.ts';
import { selectLackingMembers } from '../../src/roomserver/store/lacking-members.ts';
import { type Backend, forEachBackend } from '../contracts/backends.ts';
import { ALICE, text } from './harness.ts';
import { DAN, message, type Scene, THERE } from './scene.ts';
import { setUpBoth, snapshotOf } from './snapshot-scene.ts';

/** `local` has been given a state of the room, and could not verify Dan. */
async function setUpWithoutDan(backend: Backend) {
  const both = await setUpBoth(backend, { missingEvents: { ...noMissingEvents, authEvents } });
  const { there, local, roomId, inputState } = both;
  async function authEvents({ eventIds }: { readonly eventIds: readonly EventId[] }) {
    return [...(await there.context.events.load(eventIds)).values()].map(({ pdu }) => pdu);
  }
  const arrive = async ({ verified }: { verified: boolean }) => {
    if (!verified) there.keys.forget(THERE);
    await inputState(await snapshotOf(there));
    there.keys.remember(THERE);
  };
  const membership = async () =>
    (await local.api.queryMemberships({ roomId, userIds: [DAN] }))[0]?.membership;
  const last = await say(there);
  await arrive({ verified: false });
  assert.equal(await membership(), undefined);
  return { ...both, arrive, membership, last };
}

async function say({ api, roomId }: Scene): Promise<EventId> {
  const content = text('from here');
  const event = { roomId, sender: ALICE, type: 'm.room.message', content };
  return (await api.performSendEvent(event)).eventId;
}

const fatesOf = (fates: readonly EventFate[]) => fates.map(({ fate }) => fate);

forEachBackend('members whom an arrived state lacks', (backend) => {
  it('are heard where others go on from that state, though a later one has them', async () => {
    const { there, input, arrive, membership, last, close } = await setUpWithoutDan(backend);
    const fork = await there.make({ ...message(DAN, 'fork'), prevEvents: [last] });
    await say(there);
    await arrive({ verified: true });
    assert.equal(await membership(), 'join');
    assert.deepEqual(fatesOf(await input(fork)), ['accepted']);
    await close();
  });

  it('are heard by what they rest on, where a later state lacks what they are now', async () => {
    const { there, input, arrive, membership, last, close } = await setUpWithoutDan(backend);
    const fork = await there.make({ ...message(DAN, 'fork'), prevEvents: [last] });
    const content = { membership: 'join', displayname: 'Daniel' };
    await there.accept({ sender: DAN, type: 'm.room.member', stateKey: DAN, content });
    await arrive({ verified: false });
    assert.deepEqual(fatesOf(await input(fork)), ['accepted']);
    assert.equal(await membership(), 'join');
    await close();
  });

  it('are heard in history', async () => {
    const { there, local, roomId, last, close } = await setUpWithoutDan(backend);
    const old = await there.make({ ...message(DAN, 'old'), prevEvents: [last] });
    const fates = await local.api.inputEvents({
      roomId,
      origin: THERE,
      events: [old],
      kind: 'old',
    });
    assert.deepEqual(fatesOf(fates), ['accepted']);
    await close();
  });

  it('are not heard once they are gone, though that cannot be verified', async () => {
    const { there, local, input, arrive, last, close } = await setUpWithoutDan(backend);
    const fork = await there.make({ ...message(DAN, 'fork'), prevEvents: [last] });
    const content = { membership: 'leave' };
    await there.accept({ sender: DAN, type: 'm.room.member', stateKey: DAN, content });
    await arrive({ verified: false });
    assert.deepEqual(await selectLackingMembers(local.context.database), []);
    assert.deepEqual(fatesOf(await input(fork)), ['rejected']);
    await close();
  });
});
