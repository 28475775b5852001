// The table of failures in docs/peeking.md: each of its rows comes about as it says.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Answer } from '../client.ts';
import { finished, idOf } from './events.ts';
import type { Json } from './json.ts';
import type { PeekPeer } from './peek-peer.ts';
import { closeScene, openSceneFor, type Scene, subscriptions } from './scene.ts';
import { newKey } from './signing.ts';
import type { PeerRequest, Reply } from './wire.ts';

const TEXT = readFileSync(new URL('../../docs/peeking.md', import.meta.url), 'utf8');

interface Row {
  readonly name: string;
  readonly status: number;
  readonly errcode: string;
  readonly message: string;
}

const ROWS: readonly Row[] = Array.from(
  TEXT.matchAll(/^\| ([^|]+) \| ([^|]+) \| (\d{3}) \| `(M_\w+)` \| ([^|]+) \|$/gm),
  ([, where, what, status, errcode = '', message = '']) => ({
    name: `${where}: ${what}`,
    status: Number(status),
    errcode,
    message,
  }),
);

/** What the peer does to a request; the room is there, and open. */
type Deed = (request: PeerRequest, reply: Json, peer: PeekPeer) => Reply;

const refuses = (status: number, errcode: string, more: Json = {}): Deed => {
  return () => ({ status, body: { errcode, error: 'no', ...more } });
};

/** Answers as it should, but for a change in the answer. */
const changes = (change: (body: Json) => void): Deed => {
  return (_, reply) => {
    const body = structuredClone(reply.body);
    change(body);
    return { status: 200, body };
  };
};

const find = (body: Json, type: string) => body.events.find((event: Json) => event.type === type);
const isNot = (type: string) => (event: Json) => event.type !== type;

/** Takes the place of an event in the state, under its own id. */
function replace(body: Json, type: string, made: (old: Json) => Json): void {
  const old = find(body, type);
  const event = made(old);
  body.events = body.events.map((one: Json) => (one === old ? event : one));
  const swap = (ids: string[]) => ids.map((id) => (id === idOf(old) ? idOf(event) : id));
  body.common_state_ids = swap(body.common_state_ids);
}

const ofPut = (what: string) => `\`PUT /peek\`: ${what}`;
const PUTS: Readonly<Record<string, Deed>> = {
  [ofPut('answers 403 `M_FORBIDDEN`')]: refuses(403, 'M_FORBIDDEN'),
  [ofPut('answers 404 `M_NOT_FOUND`')]: refuses(404, 'M_NOT_FOUND'),
  [ofPut('answers 400 `M_INCOMPATIBLE_ROOM_VERSION`')]: refuses(400, 'M_INCOMPATIBLE_ROOM_VERSION'),
  [ofPut('answers 429 `M_LIMIT_EXCEEDED`, `retry_after_ms` is passed on')]: refuses(
    429,
    'M_LIMIT_EXCEEDED',
    { retry_after_ms: 1234 },
  ),
  [ofPut('answers 400 `M_UNRECOGNIZED`')]: refuses(400, 'M_UNRECOGNIZED'),
  [ofPut('answers 401 `M_UNAUTHORIZED`')]: refuses(401, 'M_UNAUTHORIZED'),
  [ofPut('answers 500 `M_UNKNOWN`')]: refuses(500, 'M_UNKNOWN'),
  [ofPut('answers 503 without JSON')]: () => ({ status: 503, text: '<html>busy</html>' }),
  [ofPut('answers 200 without JSON')]: () => ({ status: 200, text: '{"events": [' }),
  [ofPut('does not answer within 60 s')]: () => 'hang',
  [ofPut('breaks off the connection')]: () => 'cut',
  'its answer: names no latest event': changes((body) => {
    body.latest_event_state_ids = {};
  }),
  'its answer: names a room version that is not known here': changes((body) => {
    body.room_version = 'org.example.unknown';
  }),
  'its answer: lacks `m.room.create`': changes((body) => {
    body.room_version = '12';
    const create = idOf(find(body, 'm.room.create'));
    body.events = body.events.filter(isNot('m.room.create'));
    body.common_state_ids = body.common_state_ids.filter((id: string) => id !== create);
  }),
  'its answer: lacks an event of the state': changes((body) => {
    body.events = body.events.filter(isNot('m.room.topic'));
  }),
  'its answer: lacks an auth event': changes((body) => {
    const levels = idOf(find(body, 'm.room.power_levels'));
    body.events = body.events.filter(isNot('m.room.power_levels'));
    body.common_state_ids = body.common_state_ids.filter((id: string) => id !== levels);
  }),
};

describe('what fails when another server is looked through', () => {
  let scene: Scene;
  let users = 0;
  before(async () => {
    scene = await openSceneFor({ hasManualTimeouts: true });
  });
  after(() => closeScene(scene));

  /** The answer to a look, while time passes. */
  async function look(roomIdOrAlias: string, ...servers: string[]): Promise<Answer> {
    users += 1;
    const client = await scene.server.user(`looker${users}`);
    const path = `/v3/peek/${encodeURIComponent(roomIdOrAlias)}`;
    let answer: Answer | undefined;
    const asking = client.call('POST', path, { servers }).then((given) => {
      answer = given;
    });
    await scene.passUntil(() => answer !== undefined, 'the answer');
    await asking;
    assert.ok(answer);
    const { rooms } = await client.sync();
    assert.equal(rooms?.peek, undefined, 'nothing is shown');
    return answer;
  }

  async function lookWhile(deed: Deed): Promise<{ answer: Answer; peer: PeekPeer }> {
    const peer = await scene.newPeer();
    const room = peer.openRoom('12');
    await peer.add(room, { type: 'm.room.topic', stateKey: '', content: { topic: 'x' } });
    await peer.say(room, 'hello');
    peer.intercept = (request) => {
      if (request.parts[2] !== 'peek' || request.method !== 'PUT') return undefined;
      return deed(request, peer.resident.answer(request, scene.server.name), peer);
    };
    const answer = await look(room.roomId, peer.name);
    const isTakenBack = async () => (await subscriptions(scene)) === 0;
    await scene.passUntil(isTakenBack, 'nothing is left of it');
    return { answer, peer };
  }

  /** Of an answer in which an event is another one. */
  async function lookAtForged(
    type: string,
    made: (old: Json, peer: PeekPeer) => Json,
  ): Promise<{ answer: Answer; peer: PeekPeer }> {
    return lookWhile((request, reply, peer) =>
      changes((body) => replace(body, type, (old) => made(old, peer)))(request, reply, peer),
    );
  }

  async function lookAtRoom(settings: Json[]): Promise<{ answer: Answer; peer: PeekPeer }> {
    const peer = await scene.newPeer('dendrite');
    const room = peer.openRoom('12');
    for (const setting of settings) await peer.add(room, setting);
    return { answer: await look(room.roomId, peer.name), peer };
  }

  async function lookByAlias(reply: Reply): Promise<{ answer: Answer; peer: PeekPeer }> {
    const peer = await scene.newPeer();
    peer.intercept = () => reply;
    return { answer: await look(`#alias:${peer.name}`), peer };
  }

  const others: Readonly<Record<string, () => Promise<{ answer: Answer; peer?: PeekPeer }>>> = {
    'nowhere: no server is named, and the room ID names none (version 12)': async () => ({
      answer: await look(`!${'x'.repeat(43)}`),
    }),
    'alias: answers 404': () => lookByAlias({ status: 404, body: { errcode: 'M_NOT_FOUND' } }),
    'alias: cannot be reached': () => lookByAlias('cut'),
    [ofPut('cannot be connected to')]: async () => {
      const peer = await scene.newPeer();
      await peer.close();
      return { answer: await look(`!${'y'.repeat(43)}`, peer.name), peer };
    },
    'its answer: has an event with a wrong signature': () =>
      lookAtForged('m.room.topic', (old, peer) =>
        finished({ ...old, content: { topic: 'forged' }, hashes: undefined }, peer.name, newKey()),
      ),
    'its answer: has an event in the state that its auth events do not allow': () =>
      lookAtForged('m.room.topic', (old, peer) => {
        const { signatures: _, hashes: __, ...event } = old;
        return finished({ ...event, sender: peer.user('stranger') }, peer.name, peer.key);
      }),
    'its answer: rests on an `m.room.join_rules` whose signing key cannot be had': () =>
      lookAtForged('m.room.join_rules', (old) => {
        const { signatures: _, hashes: __, ...event } = old;
        return finished({ ...event, sender: '@gone:localhost:1' }, 'localhost:1', newKey());
      }),
    'its answer: is of another room': async () => {
      const peer = await scene.newPeer();
      const [one, other] = [peer.openRoom('12'), peer.openRoom('12')];
      peer.resident.rooms.set(one.roomId, other);
      return { answer: await look(one.roomId, peer.name), peer };
    },
    'its answer: is of a room that is not world-readable': () =>
      lookAtRoom([
        {
          type: 'm.room.history_visibility',
          stateKey: '',
          content: { history_visibility: 'shared' },
        },
      ]),
    'its answer: is of a room that is encrypted': () =>
      lookAtRoom([
        {
          type: 'm.room.encryption',
          stateKey: '',
          content: { algorithm: 'm.megolm.v1.aes-sha2' },
        },
      ]),
  };

  test('each row is brought about here', () => {
    const names = [...Object.keys(PUTS), ...Object.keys(others)];
    assert.deepEqual(ROWS.map(({ name }) => name).sort(), names.sort());
  });

  for (const { name, status, errcode, message } of ROWS) {
    test(name, async () => {
      const deed = PUTS[name];
      const outcome = deed === undefined ? await others[name]?.() : await lookWhile(deed);
      assert.ok(outcome);
      const { answer, peer } = outcome;
      const error = message.replace('SERVER', peer?.name ?? '');
      const { body } = answer;
      assert.deepEqual([answer.status, body.errcode, body.error], [status, errcode, error]);
      if (status === 429) assert.equal(body.retry_after_ms, 1234);
    });
  }
});
