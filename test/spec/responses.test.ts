// Every built operation, over HTTP: one call that succeeds and one that is refused, both answered as the
// specification's schemas have it; what is not built yet is unrecognized.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SHARED_OPERATIONS } from '../../src/clientapi/routes.ts';
import type { Answer } from './api-client.ts';
import { fetchAnswer } from './api-client.ts';
import { EXAMPLES } from './examples/all.ts';
import { NOT_YET } from './not-yet.ts';
import { faultOf } from './response-check.ts';
import { ROUTES } from './route-list.ts';
import { type SpecServer, startSpecServer } from './spec-server.ts';
import { findSpecification, loadOperations, type Operation } from './specification.ts';
import { World } from './world.ts';

const folder = findSpecification();
const skip = "the specification's OpenAPI is not at KEYHOLE_MATRIX_SPEC";
const operations = new Map(
  (folder === undefined ? [] : loadOperations(folder)).map((one) => [one.operationId, one]),
);

/** Answers that clients understand although the schema wants more of them. */
const NOT_CHECKED = new Set([
  // Without a TURN server: every client takes an empty object for "none".
  'getTurnServer',
]);

describe('responses', folder === undefined ? { skip } : {}, () => {
  let server: SpecServer;
  let world: World;

  before(async () => {
    server = await startSpecServer();
    world = await World.create(server);
  });

  after(async () => {
    await server?.close();
  });

  test('there is an example of every route', () => {
    const given = Object.values(EXAMPLES).flatMap((topic) => Object.keys(topic));
    const routes = ROUTES.map((route) => route.operationId);
    const wanted = [...routes, ...Object.keys(SHARED_OPERATIONS)];
    assert.deepEqual(given.toSorted(), wanted.toSorted());
  });

  for (const [topic, examples] of Object.entries(EXAMPLES)) {
    describe(topic, () => {
      for (const [operationId, example] of Object.entries(examples)) {
        const id = SHARED_OPERATIONS[operationId] ?? operationId;
        const { success, refusal } = example;

        if (success !== undefined) {
          test(`${operationId} succeeds`, async () => {
            const answer = await world.call(id, await success(world));
            assert.equal(answer.status, 200, JSON.stringify(answer.body));
            if (!NOT_CHECKED.has(operationId)) check(operations.get(operationId), answer);
          });
        }

        if (refusal !== undefined) {
          test(`${operationId} is refused`, async () => {
            const { status, errcode, ...call } = await refusal(world);
            const answer = await world.call(id, call);
            assert.equal(answer.status, status, JSON.stringify(answer.body));
            assert.equal(answer.body.errcode, errcode);
            check(operations.get(operationId), answer);
          });
        }
      }
    });
  }

  test('no request made the server complain', () => {
    assert.deepEqual(server.complaints, []);
  });

  test('what is not built yet is unrecognized', async () => {
    const { token } = world.alice;
    for (const operationId of NOT_YET) {
      const { method, path } = operations.get(operationId) as Operation;
      const answer = await fetchAnswer(server.url + path.replaceAll(/\{(\w+)\}/g, '$1'), {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(method !== 'GET' && { body: '{}' }),
      });
      // A path that is built for other methods is known.
      const isKnown = ROUTES.some(({ paths }) =>
        paths.includes(path.replaceAll(/\{(\w+)\}/g, ':$1')),
      );
      assert.equal(answer.status, isKnown ? 405 : 404, operationId);
      assert.equal(answer.body.errcode, 'M_UNRECOGNIZED', operationId);
    }
  });
});

/** Media is told by its headers. */
function check(operation: Operation | undefined, answer: Answer): void {
  if (operation === undefined) return;
  const type = answer.headers.get('content-type') ?? '';
  if (type.startsWith('image/')) {
    assert.match(answer.headers.get('content-disposition') ?? '', /^inline/);
    assert.equal(answer.headers.get('cross-origin-resource-policy'), 'cross-origin');
    assert.match(answer.headers.get('content-security-policy') ?? '', /^sandbox;/);
  } else {
    assert.equal(faultOf(operation, answer), undefined);
  }
}
