// Events of a room into which this server looks that come late, of before what is known of it.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { EventId, RoomId } from '../../src/protocol/identifiers.ts';
import { selectStagedIds } from '../../src/roomserver/store/staged-pdus.ts';
import { type Backend, forEachBackend } from '../contracts/backends.ts';
import { until } from '../until.ts';
import { makeRoom, otherDatabase, text } from './harness.ts';
import { type Neighbour, Neighbourhood, user } from './neighbours.ts';

/** `loc.test` looks into Ruth's room at `res.test`, and has been sent an event of before. History cannot be had just now. */
async function setUp(backend: Backend) {
  const street = new Neighbourhood();
  const res = await street.start(otherDatabase(), 'res.test');
  const loc = await street.start(backend, 'loc.test');
  const ruth = user('ruth', res);
  const content = { history_visibility: 'world_readable' };
  const state = [{ type: 'm.room.history_visibility', content }];
  const roomId = await makeRoom(res, { creator: ruth, state });
  const say = async (body: string) => {
    const event = { roomId, sender: ruth, type: 'm.room.message', content: text(body) };
    return (await res.api.performSendEvent(event)).eventId;
  };
  const isHistoryHad = (isHad: boolean) => {
    street.faults.before = (method) => {
      if (method === 'backfill' && !isHad) throw new Error('not there');
    };
  };
  const late = await say('late');
  await say('last');
  await look(loc, res, { roomId, peekId: 'p1' });
  isHistoryHad(false);
  await res.push(loc, [late]);
  const standing = async () => (await loc.context.events.get(late))?.standing;
  const later = async (ms: number) => {
    loc.clock.advance(ms);
    await loc.context.staged.idle();
  };
  const isStaged = async () => (await selectStagedIds(loc.context.database, roomId, [late])).size;
  assert.deepEqual([await standing(), await isStaged()], [undefined, 1]);
  return { street, res, loc, roomId, say, isHistoryHad, standing, later, isStaged };
}

/** As the answer to PUT /peek begins it. */
async function look(
  loc: Neighbour,
  res: Neighbour,
  { roomId, peekId }: { readonly roomId: RoomId; readonly peekId: string },
): Promise<void> {
  const request = { origin: loc.name, roomId, peekId, expiryTs: 1e15, roomVersions: undefined };
  const { snapshot } = await res.api.performInboundPeek(request);
  const { roomVersion, latestEventStateIds, commonStateIds, events } = snapshot;
  const extremities = Object.entries(latestEventStateIds).map(([eventId, ids]) => ({
    eventId: eventId as EventId,
    stateAfter: [...commonStateIds, ...ids],
  }));
  const peek = { server: res.name, peekId, renewalInterval: 3_600_000 };
  await loc.api.inputState({ roomId, roomVersion, reason: 'peek', peek, extremities, events });
  loc.context.outboundPeeks.interestChanged(roomId, true);
}

async function lookAway({ context }: Neighbour, roomId: RoomId): Promise<void> {
  context.outboundPeeks.interestChanged(roomId, false);
  await until(async () => !context.outboundPeeks.isWatched(roomId), 'the end of the look');
}

forEachBackend('events that come late', (backend) => {
  it('are history as soon as that can be told', async () => {
    const { street, isHistoryHad, standing, later, isStaged } = await setUp(backend);
    isHistoryHad(true);
    await later(1_000);
    await later(10_000);
    assert.deepEqual([await standing(), await isStaged()], ['old', 0]);
    await street.close();
  });

  it('wait for the next look where nobody looks any more', async () => {
    const { street, loc, res, roomId, isHistoryHad, standing, later, isStaged } =
      await setUp(backend);
    await lookAway(loc, roomId);
    isHistoryHad(true);
    await later(1_000);
    assert.deepEqual([await standing(), await isStaged()], [undefined, 1]);
    await look(loc, res, { roomId, peekId: 'p2' });
    await later(10_000);
    assert.deepEqual([await standing(), await isStaged()], ['old', 0]);
    await street.close();
  });

  it('are given up where nobody looks again for long', async () => {
    const { street, loc, roomId, standing, later, isStaged } = await setUp(backend);
    await lookAway(loc, roomId);
    for (const ms of [1_000, 10_000, 60_000, 600_000]) await later(ms);
    assert.deepEqual([await standing(), await isStaged()], [undefined, 0]);
    const kinds = (await loc.entries(roomId)).map(({ kind }) => kind);
    assert.equal(kinds.filter((kind) => kind === 'StateReplaced').length, 1, kinds.join());
    await street.close();
  });
});
