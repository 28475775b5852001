// Every operation of the specification is either built or known not to be; nothing is forgotten.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SPECIFICATION_VERSIONS } from '../../src/clientapi/routes/getVersions.ts';
import { SHARED_OPERATIONS } from '../../src/clientapi/routes.ts';
import type { Route } from '../../src/http/route.ts';
import { FEDERATION_BESIDES, FEDERATION_NOT_YET, FEDERATION_ROUTES } from './federation/lists.ts';
import { NOT_YET } from './not-yet.ts';
import { ROUTES } from './route-list.ts';
import { type Api, findSpecification, loadOperations, type Operation } from './specification.ts';

const folder = findSpecification();
const options =
  folder === undefined ? { skip: "the specification's OpenAPI is not at KEYHOLE_MATRIX_SPEC" } : {};

interface Lists {
  readonly operations: readonly Operation[];
  readonly routes: readonly Route[];
  readonly notYet: readonly string[];
  /** Operations that a route of another name serves, by that name. */
  readonly shared?: Readonly<Record<string, string>>;
}

const operationsOf = (api: Api) => (folder === undefined ? [] : loadOperations(folder, api));

describe('the operations of the Client-Server API', options, () => {
  checkLists({
    operations: operationsOf('client-server'),
    routes: ROUTES,
    notYet: NOT_YET,
    shared: SHARED_OPERATIONS,
  });
});

describe('the operations of the Server-Server API', options, () => {
  const operations = operationsOf('server-server');
  checkLists({ operations, routes: FEDERATION_ROUTES, notYet: FEDERATION_NOT_YET });

  test('what is built besides is of proposals and older versions', () => {
    const known = new Set(operations.map(({ operationId }) => operationId));
    const others = FEDERATION_ROUTES.map(({ operationId }) => operationId);
    assert.deepEqual(
      others.filter((operationId) => !known.has(operationId)).toSorted(),
      FEDERATION_BESIDES.toSorted(),
    );
  });
});

function checkLists({ operations, routes, notYet, shared = {} }: Lists): void {
  const built = [...routes.map((route) => route.operationId), ...Object.keys(shared)];

  test('each stands in exactly one list: built, or not yet', () => {
    for (const { operationId } of operations) {
      const lists = [built, notYet].filter((list) => list.includes(operationId));
      assert.equal(lists.length, 1, `${operationId} stands in ${lists.length} lists`);
    }
  });

  test('no list holds an operation twice', () => {
    assert.deepEqual(new Set(built).size, built.length);
    assert.deepEqual(new Set(notYet).size, notYet.length);
  });

  test('what is not built yet is an operation of the specification', () => {
    const known = new Set(operations.map((operation) => operation.operationId));
    assert.deepEqual(
      notYet.filter((operationId) => !known.has(operationId)),
      [],
    );
  });

  test('what is built is served under the path and method of the specification', () => {
    for (const operation of operations.filter((one) => built.includes(one.operationId))) {
      const id = shared[operation.operationId] ?? operation.operationId;
      const route = routes.find((one) => one.operationId === id);
      assert.ok(
        route?.paths.some((path) => isSamePath(path, operation.path)),
        id,
      );
      assert.equal(route?.method, operation.method, id);
    }
  });
}

/** What a client that finds the version in /versions goes on to ask for. */
const BROUGHT: Readonly<Record<string, string>> = {
  'v1.2': 'getSpaceHierarchy',
  'v1.4': 'getThreadRoots',
  'v1.6': 'getEventByTimestamp',
  'v1.7': 'createContent',
  'v1.11': 'getContentAuthed',
  'v1.13': 'reportRoom',
  'v1.14': 'reportUser',
  'v1.15': 'getRoomSummary',
};

test('/versions names a version exactly when what it brought is built', () => {
  for (const [version, operationId] of Object.entries(BROUGHT)) {
    const isBuilt = !NOT_YET.includes(operationId);
    assert.equal(SPECIFICATION_VERSIONS.includes(version), isBuilt, `${version}: ${operationId}`);
  }
});

/** Parameters may have other names, and a fixed part may be read by a parameter. */
function isSamePath(ours: string, theirs: string): boolean {
  const parts = ours.split('/');
  const wanted = theirs.split('/');
  return (
    parts.length === wanted.length &&
    parts.every((part, index) => part.startsWith(':') || part === wanted[index])
  );
}
