// Every built operation of the Server-Server API, over TLS: one call that succeeds and one that is refused, both answered as
// the specification's schemas have it; what is not built yet is unrecognized.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FEDERATION_EXAMPLES } from './federation/examples.ts';
import { FEDERATION_BESIDES, FEDERATION_NOT_YET, FEDERATION_ROUTES } from './federation/lists.ts';
import { FederationWorld } from './federation/world.ts';
import { faultOf } from './response-check.ts';
import { findSpecification, loadOperations, type Operation } from './specification.ts';

const folder = findSpecification();
const skip = "the specification's OpenAPI is not at KEYHOLE_MATRIX_SPEC";
const operations = new Map(
  (folder === undefined ? [] : loadOperations(folder, 'server-server')).map((one) => [
    one.operationId,
    one,
  ]),
);

describe('responses to other servers', folder === undefined ? { skip } : {}, () => {
  let world: FederationWorld;

  before(async () => {
    world = await FederationWorld.create();
  });

  after(async () => {
    await world?.close();
  });

  test('there is an example of every route', () => {
    const given = Object.values(FEDERATION_EXAMPLES).flatMap((topic) => Object.keys(topic));
    const routes = FEDERATION_ROUTES.map(({ operationId }) => operationId);
    const wanted = routes.filter((operationId) => !FEDERATION_BESIDES.includes(operationId));
    assert.deepEqual(given.toSorted(), wanted.toSorted());
  });

  for (const [topic, examples] of Object.entries(FEDERATION_EXAMPLES)) {
    describe(topic, () => {
      for (const [operationId, { success, refusal }] of Object.entries(examples)) {
        test(`${operationId} succeeds`, async () => {
          const answer = await world.call(operationId, await success(world));
          assert.equal(answer.status, 200, JSON.stringify(answer.body));
          assert.equal(faultOf(operations.get(operationId) as Operation, answer), undefined);
        });

        if (refusal !== undefined) {
          test(`${operationId} is refused`, async () => {
            const { status, errcode, ...call } = await refusal(world);
            const answer = await world.call(operationId, call);
            assert.equal(answer.status, status, JSON.stringify(answer.body));
            assert.equal(answer.body.errcode, errcode);
            assert.equal(faultOf(operations.get(operationId) as Operation, answer), undefined);
          });
        }
      }
    });
  }

  test('what is not built yet is unrecognized', async () => {
    for (const operationId of FEDERATION_NOT_YET) {
      const { method, path } = operations.get(operationId) as Operation;
      const body = method === 'GET' ? {} : { body: {} };
      const { status, body: answer } = await world.ask(
        method,
        path.replaceAll(/\{(\w+)\}/g, '$1'),
        body,
      );
      assert.deepEqual([status, answer.errcode], [404, 'M_UNRECOGNIZED'], operationId);
    }
  });
});
