// What other servers are told that look into our rooms, and when it ends.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Backend, forEachBackend } from '../../test/contracts/backends.ts';
import type { EventId, ServerName } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import { joinedState, message, openHarness, SERVER } from './testing.ts';

const LOOKER = 'l.example' as ServerName;
const OTHER = 'other.example' as ServerName;
const OPEN = { currentVisibility: 'world_readable', visibilityAtEvent: 'world_readable' } as const;

forEachBackend('looks of other servers', (backend) => {
  it('show nothing of before the room was opened, though it comes late', async () => {
    const { room, settled, network } = await openLooked(backend);
    const late = message('late', { sender: '@bob:b.example' });
    await room(
      { ...message('one'), ...OPEN },
      { ...late, ...OPEN, visibilityAtEvent: 'shared' },
      { ...message('two'), ...OPEN },
    );
    await settled();
    assert.deepEqual(pdusTo(network, LOOKER), ['one', 'two']);
    assert.deepEqual(pdusTo(network, 'b.example'), ['one', 'two']);
  });

  it('end with the ACL that keeps the server out, of which it is told', async () => {
    const { room, settled, network } = await openLooked(backend);
    await room(acl('acl', { allow: ['*'], deny: [LOOKER] }), { ...message('after'), ...OPEN });
    await settled();
    assert.deepEqual(pdusTo(network, LOOKER), ['acl']);
    const expired = network.sent(LOOKER).flatMap(({ body }) => body.expired_peeks ?? []);
    assert.deepEqual(expired, [{ room_id: '!room:us.example', peek_id: 'p1' }]);
    assert.deepEqual(pdusTo(network, OTHER), ['acl', 'after']);
  });
});

async function openLooked(backend: Backend) {
  const harness = await openHarness(backend);
  await harness.room(joinedState('@alice:us.example', '@bob:b.example'));
  for (const server of [LOOKER, OTHER]) {
    await harness.room({ kind: 'NewInboundPeek', server, peekId: 'p1', expiryTs: 1e15 });
  }
  return harness;
}

type Network = Awaited<ReturnType<typeof openHarness>>['network'];

function pdusTo(network: Network, server: string): string[] {
  return network.sent(server).flatMap(({ pdus }) => pdus);
}

function acl(id: string, content: JsonObject) {
  const said = message(id, { sendAs: SERVER });
  const json = { ...said.event.json, type: 'm.room.server_acl', state_key: '' };
  const eventId = `$${id}` as EventId;
  return {
    ...said,
    ...OPEN,
    event: { ...said.event, json: { ...json, content: { ...content, id } } },
    stateChanges: [{ type: 'm.room.server_acl', stateKey: '', eventId }],
  };
}
