// Events of a room of other servers that cannot be verified, or that the rules reject, and what comes of the room without them.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ServerName } from '../../src/protocol/identifiers.ts';
import { selectLackingMembers } from '../../src/roomserver/store/lacking-members.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { type ForeignEvent, foreignEvent } from './foreign-server.ts';
import { otherDatabase } from './harness.ts';
import { type Neighbour, user } from './neighbours.ts';
import { isAccepted, say, setUp } from './remote-room.ts';

forEachBackend('what cannot be verified of a room of other servers', (backend) => {
  it('leaves out what cannot be verified, unless the room rests on it', async () => {
    const { street, res, loc, roomId, ruth, join } = await setUp(backend);
    const gone = user('gone', { name: 'gone.test' } as Neighbour);
    const make = (event: Omit<ForeignEvent, 'roomId'>) =>
      foreignEvent(res, street.keys, { roomId, ...event });
    const joined = await make({
      sender: gone,
      type: 'm.room.member',
      stateKey: gone,
      content: { membership: 'join' },
    });
    await res.api.inputEvents({
      roomId,
      origin: 'gone.test' as ServerName,
      events: [joined],
      kind: 'new',
    });
    street.keys.forget('gone.test');
    const topic = await make({
      sender: ruth,
      type: 'm.room.topic',
      stateKey: '',
      content: { topic: 'signed' },
    });
    const unsigned = { ...topic.json, state_key: 'somewhere else' };
    street.faults.joinAnswer = (_server, answer) => ({
      ...answer,
      state: [...answer.state, unsigned],
    });
    await join();
    const keys = [{ type: 'm.room.topic', stateKey: 'somewhere else' }];
    assert.deepEqual(await loc.api.queryStateEvents({ roomId, keys }), []);
    const asked = [gone, ruth];
    const members = await loc.api.queryMemberships({ roomId, userIds: asked });
    assert.deepEqual(
      members.map(({ userId }) => userId),
      [ruth],
    );
    await street.close();
  });

  it('leaves out what the rules reject, and what has not the form of an event', async () => {
    const { street, res, loc, roomId, ruth, join } = await setUp(backend);
    const stranger = user('stranger', res);
    const topic = { roomId, type: 'm.room.topic', content: { topic: 'x' } };
    const rejected = await foreignEvent(res, street.keys, {
      ...topic,
      sender: stranger,
      stateKey: '',
    });
    const long = { ...rejected.json, sender: ruth, state_key: 'x'.repeat(256) };
    street.faults.joinAnswer = (_server, answer) => ({
      ...answer,
      state: [...answer.state, rejected.json, long],
    });
    await join();
    const keys = [{ type: 'm.room.topic', stateKey: '' }];
    assert.deepEqual(await loc.api.queryStateEvents({ roomId, keys }), []);
    assert.equal((await loc.context.events.get(rejected.eventId))?.standing, 'rejected');
    await street.close();
  });

  it('goes on after a gap that only a state can bridge, in a room of such members', async () => {
    const { street, res, loc, roomId, ruth, join } = await setUp(backend);
    const gone = user('gone', { name: 'gone.test' } as Neighbour);
    const joined = await foreignEvent(res, street.keys, {
      roomId,
      sender: gone,
      type: 'm.room.member',
      stateKey: gone,
      content: { membership: 'join' },
    });
    const origin = 'gone.test' as ServerName;
    await res.api.inputEvents({ roomId, origin, events: [joined], kind: 'new' });
    street.keys.forget('gone.test');
    await join();
    await say(res, roomId, ruth, 'missed');
    street.faults.answer = (method, _server, answer) =>
      method === 'get_missing_events' ? { events: [] } : answer;
    const heard = await say(res, roomId, ruth, 'after the gap');
    await res.push(loc, [heard]);
    for (const ms of [1_000, 10_000, 60_000, 600_000]) {
      loc.clock.advance(ms);
      await loc.context.staged.idle();
    }
    assert.ok(await isAccepted(loc, heard));
    const lacking = await selectLackingMembers(loc.context.database);
    assert.deepEqual(
      lacking.map(({ userId }) => userId),
      [gone],
    );
    await street.close();
  });

  it('hears whom it could not verify when it came, once it can', async () => {
    const { street, res, loc, roomId, ruth, join } = await setUp(backend);
    const ext = await street.start(otherDatabase(), 'ext.test');
    const emil = user('emil', ext);
    const via = { serverNames: [res.name], content: {} };
    await ext.api.performJoin({ roomIdOrAlias: roomId, userId: emil, ...via });
    street.keys.forget('ext.test');
    await join();
    const [joined] = await loc.api.queryMemberships({ roomId, userIds: [emil] });
    assert.equal(joined, undefined);
    const lacking = await selectLackingMembers(loc.context.database);
    assert.deepEqual(
      lacking.map(({ userId }) => userId),
      [emil],
    );
    // What she goes on from lacks her.
    const hello = await say(res, roomId, ruth);
    await res.push(loc, [hello]);
    street.keys.remember('ext.test');
    const came = (await res.context.events.get(hello))?.pdu.prevEvents ?? [];
    await res.push(ext, [...came, hello]);
    const said = await say(ext, roomId, emil);
    await ext.push(loc, [said]);
    assert.ok(await isAccepted(loc, said));
    const [heard] = await loc.api.queryMemberships({ roomId, userIds: [emil] });
    assert.equal(heard?.membership, 'join');
    await street.close();
  });
});
