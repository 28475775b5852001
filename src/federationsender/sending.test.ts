// From the log to other servers: who is sent what, in order, through failures and restarts.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Backend, forEachBackend } from '../../test/contracts/backends.ts';
import { until } from '../../test/until.ts';
import { sql } from '../database/sql.ts';
import { FederationError } from '../federation/federation-error.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import { joinedState, member, message, openHarness, SERVER } from './testing.ts';

const LOOKER = 'l.example' as ServerName;
const OPEN = { currentVisibility: 'world_readable', visibilityAtEvent: 'world_readable' } as const;

interface LookerScene {
  readonly look: (peekId: string) => Promise<void>;
  readonly unlook: (peekId: string) => Promise<void>;
  readonly say: (...one: Parameters<typeof message>) => Promise<void>;
  /** The first attempt to send it something has failed, after all that has happened until now. */
  readonly failed: () => Promise<void>;
}

forEachBackend('sending events', (backend) => {
  whoGetsIt(backend);
  whoWasAway(backend);
});

function whoGetsIt(backend: Backend): void {
  describe('who gets an event', () => {
    it('is each other server that is joined, once', async () => {
      const { room, settled, network } = await openHarness(backend);
      await room(
        joinedState('@alice:us.example', '@bob:b.example', '@bert:b.example', '@carl:c.example'),
        message('one'),
      );
      await settled();
      const sent = network.sent();
      assert.deepEqual(sent.map(({ destination, pdus }) => [destination, pdus]).sort(), [
        ['b.example', ['one']],
        ['c.example', ['one']],
      ]);
      const [{ body }] = sent as [(typeof sent)[0]];
      assert.equal(body.origin, 'us.example');
      assert.equal(typeof body.origin_server_ts, 'number');
    });

    it('is nobody for events of other servers', async () => {
      const { room, settled, network } = await openHarness(backend);
      const bob = '@bob:b.example';
      await room(joinedState('@alice:us.example', bob), message('theirs', { sender: bob }));
      await settled();
      assert.deepEqual(network.sent(), []);
    });

    it('is a server whose last member is kicked, but of nothing after', async () => {
      const { room, settled, network } = await openHarness(backend);
      await room(
        joinedState('@alice:us.example', '@bob:b.example', '@carl:c.example'),
        member('kick', '@bob:b.example', {
          from: 'join',
          to: 'leave',
          sender: '@alice:us.example',
        }),
        message('after'),
      );
      await settled();
      assert.deepEqual(
        network.sent('b.example').flatMap(({ pdus }) => pdus),
        ['kick'],
      );
      assert.deepEqual(
        network.sent('c.example').flatMap(({ pdus }) => pdus),
        ['kick', 'after'],
      );
    });

    it('is the server of whom an invite is taken back, not of who declines it', async () => {
      const { room, settled, network } = await openHarness(backend);
      const invited = { from: 'invite', to: 'leave', sendAs: SERVER };
      await room(
        joinedState('@alice:us.example', '@dora:d.example'),
        member('declined', '@bob:b.example', invited),
        member('taken back', '@carl:c.example', { ...invited, sender: '@alice:us.example' }),
      );
      await settled();
      const pdusOf = (server: string) => network.sent(server).flatMap(({ pdus }) => pdus);
      assert.deepEqual(pdusOf('b.example'), []);
      assert.deepEqual(pdusOf('c.example'), ['taken back']);
      assert.deepEqual(pdusOf('d.example'), ['declined', 'taken back']);
    });
  });
}

function whoWasAway(backend: Backend): void {
  describe('who was away', () => {
    const missing = async (known: boolean) => {
      const { room, settled, network, later } = await openHarness(backend);
      await room(joinedState('@alice:us.example', '@bob:b.example'));
      if (known) await room(message('zero'));
      await settled();
      network.down('b.example');
      await room(message('one'));
      await settled();
      await room(message('two'), message('three'));
      await settled();
      network.up('b.example');
      const before = network.sent().length;
      const since = () =>
        network
          .sent()
          .slice(before)
          .flatMap(({ pdus }) => pdus);
      await until(async () => {
        await later(10_000);
        return since().includes('three');
      }, 'the last event');
      return since();
    };

    it('gets what it has missed, in order', async () => {
      assert.deepEqual(await missing(true), ['one', 'two', 'three']);
    });

    it('gets the last event alone, where it has never answered before', async () => {
      assert.deepEqual(await missing(false), ['one', 'three']);
    });

    it('gets what was said at first, and the last event, where it takes long to answer for the first time', async () => {
      const { room, settled, consumed, network, clock, database } = await openHarness(backend);
      await room(joinedState('@alice:us.example', '@bob:b.example'));
      const { promise: answered, resolve: answer } = Promise.withResolvers<JsonObject>();
      network.answers.set('b.example', () => answered);
      await room(message('one'));
      await until(() => network.sent('b.example').length === 1, 'the first attempt');
      await room(message('two'));
      await consumed();
      clock.advance(1_000);
      const isAway = async () =>
        (await database.get(sql`SELECT 1 AS away FROM federationsender_hosts WHERE away > 0`)) !==
        undefined;
      await until(isAway, 'it takes too long');
      await room(message('three'), message('four'));
      await consumed();
      answer({ pdus: {} });
      await settled();
      await room(message('five'));
      await settled();
      assert.deepEqual(
        network.sent('b.example').flatMap(({ pdus }) => pdus),
        ['one', 'two', 'four', 'five'],
      );
    });

    it('gets the last event, where it has left and come back', async () => {
      const { room, settled, network, later } = await openHarness(backend);
      const bob = '@bob:b.example';
      await room(joinedState('@alice:us.example', bob));
      network.down('b.example');
      await room(message('one'));
      await settled();
      await room(message('two'));
      await room(member('left', bob, { from: 'join', to: 'leave' }));
      await room(message('not for it'));
      await room(member('back', bob, { from: 'leave', to: 'join' }));
      await room(message('three'));
      await room(message('four'));
      await settled();
      network.up('b.example');
      const before = network.sent().length;
      const since = () => network.sent().slice(before);
      await until(async () => {
        await later(10_000);
        return since().length >= 2;
      }, 'what was missed');
      assert.deepEqual(
        since().flatMap(({ pdus }) => pdus),
        ['one', 'four'],
      );
      await room(message('five'));
      await settled();
      assert.deepEqual(since().at(-1)?.pdus, ['five']);
    });

    /** Who looks, and is away while `said`: what it gets when it is back. */
    const lookerMissing = async (said: (scene: LookerScene) => Promise<void>) => {
      const { room, settled, consumed, network, later } = await openHarness(backend);
      await room(joinedState('@alice:us.example', '@bob:b.example'));
      const look = (peekId: string) =>
        room({ kind: 'NewInboundPeek', server: LOOKER, peekId, expiryTs: 1e15 });
      const unlook = (peekId: string) =>
        room({ kind: 'RetireInboundPeek', server: LOOKER, peekId, reason: 'deleted' });
      const say = (...one: Parameters<typeof message>) => room({ ...message(...one), ...OPEN });
      await look('p1');
      const { promise: failing, resolve: fail } = Promise.withResolvers<void>();
      network.answers.set(LOOKER, async () => {
        await failing;
        throw new FederationError('unreachable', LOOKER, { message: 'connection refused' });
      });
      await say('one');
      await until(() => network.sent(LOOKER).length === 1, 'the first attempt');
      const failed = async () => {
        await consumed();
        fail();
        await settled();
      };
      await said({ look, unlook, say, failed });
      await settled();
      network.up(LOOKER);
      const before = network.sent(LOOKER).length;
      const since = () => network.sent(LOOKER).slice(before);
      await until(async () => {
        await later(10_000);
        return since().length >= 2;
      }, 'what was missed');
      return since().flatMap(({ pdus }) => pdus);
    };
    const BOB = { sender: '@bob:b.example' };

    it('gets the last of what was said side by side, where it looks', async () => {
      const sent = await lookerMissing(async ({ say, failed }) => {
        await failed();
        await say('two');
        await say('theirs', { ...BOB, extremities: ['two', 'theirs'] });
        await say('late', { ...BOB, extremities: ['two', 'theirs'] });
        await say('after theirs', { ...BOB, extremities: ['two', 'after theirs'] });
      });
      assert.deepEqual(sent, ['one', 'two', 'after theirs']);
    });

    it('gets the last event, where it has looked away and looks again', async () => {
      const sent = await lookerMissing(async ({ look, unlook, say, failed }) => {
        await say('two');
        await unlook('p1');
        await failed();
        await look('p2');
        await say('three', BOB);
      });
      assert.deepEqual(sent, ['one', 'three']);
    });
  });
}
