// The wire formats in docs/peeking.md are those of the server: the same fields, of the same kinds.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { until } from '../until.ts';
import type { Json } from './json.ts';
import { openScene } from './scene.ts';

const TEXT = readFileSync(new URL('../../docs/peeking.md', import.meta.url), 'utf8');

interface Example {
  readonly method: string;
  readonly uri: string;
  /** Of the request; undefined: there is none. */
  readonly body: Json;
  readonly answer: Json;
}

const EXAMPLES: readonly Example[] = Array.from(
  TEXT.matchAll(/```http\n(\w+) (\S+)\n(.*?)```/gs),
  ([, method = '', uri = '', rest = '']) => {
    const texts = rest.split(/\n\n|^\n/).filter((text) => text.trim() !== '');
    const [answer, body] = texts.map((text) => JSON.parse(text)).reverse();
    return { method, uri, body, answer };
  },
);

function kindOf(value: Json): string {
  return Array.isArray(value) ? 'array' : typeof value;
}

function isLike(actual: Json, example: Json, what: string): void {
  const kinds = (object: Json) =>
    Object.entries(object)
      .map(([name, value]) => `${name}: ${kindOf(value)}`)
      .sort();
  assert.deepEqual(kinds(actual), kinds(example), what);
}

test('requests and answers are as documented', async (t) => {
  const scene = await openScene(t);
  const { peer, server } = scene;
  const alice = await server.user('alice');
  const open = {
    type: 'm.room.history_visibility',
    content: { history_visibility: 'world_readable' },
  };
  const roomId = await alice.createRoom({ room_version: '11', initial_state: [open] });
  assert.equal(EXAMPLES.length, 5);
  for (const { method, uri, body, answer } of EXAMPLES) {
    if (uri.startsWith('/send')) continue;
    const path = uri.replace('!lobby:example.org', encodeURIComponent(roomId));
    const given = await peer.request(server.name, method, `/_matrix/federation/v1${path}`, body);
    assert.equal(given.status, 200, `${method} ${uri}: ${JSON.stringify(given.body)}`);
    isLike(given.body, answer, `${method} ${uri}`);
  }
  await peer.look(server.name, roomId);
  const told: Json[] = [];
  peer.intercept = ({ parts, body }) => {
    if (parts[2] === 'send') told.push(body);
    return undefined;
  };
  await scene.pass(3_600_000);
  await until(() => told.length > 0, 'a transaction');
  const documented = EXAMPLES.find(({ uri }) => uri.startsWith('/send'));
  isLike(told[0], documented?.body, 'PUT /send');
  isLike(told[0].expired_peeks[0], documented?.body.expired_peeks[0], 'expired_peeks');
});
