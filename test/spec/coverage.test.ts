// Every operation of the specification is either built or known not to be; nothing is forgotten.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SPECIFICATION_VERSIONS } from '../../src/clientapi/routes/getVersions.ts';
import { SHARED_OPERATIONS } from '../../src/clientapi/routes.ts';
import { NOT_YET } from './not-yet.ts';
import { ROUTES } from './route-list.ts';
import { findSpecification, loadOperations } from './specification.ts';

const folder = findSpecification();
const options =
  folder === undefined ? { skip: "the specification's OpenAPI is not at KEYHOLE_MATRIX_SPEC" } : {};

describe('the operations of the Client-Server API', options, () => {
  const operations = folder === undefined ? [] : loadOperations(folder);
  const built = [...ROUTES.map((route) => route.operationId), ...Object.keys(SHARED_OPERATIONS)];

  test('each stands in exactly one list: built, or not yet', () => {
    for (const { operationId } of operations) {
      const lists = [built, NOT_YET].filter((list) => list.includes(operationId));
      assert.equal(lists.length, 1, `${operationId} stands in ${lists.length} lists`);
    }
  });

  test('no list holds an operation twice', () => {
    assert.deepEqual(new Set(built).size, built.length);
    assert.deepEqual(new Set(NOT_YET).size, NOT_YET.length);
  });

  test('what is not built yet is an operation of the specification', () => {
    const known = new Set(operations.map((operation) => operation.operationId));
    assert.deepEqual(
      NOT_YET.filter((operationId) => !known.has(operationId)),
      [],
    );
  });

  test('what is built is served under the path and method of the specification', () => {
    for (const operation of operations.filter((one) => built.includes(one.operationId))) {
      const id = SHARED_OPERATIONS[operation.operationId] ?? operation.operationId;
      const route = ROUTES.find((one) => one.operationId === id);
      assert.ok(
        route?.paths.some((path) => isSamePath(path, operation.path)),
        id,
      );
      assert.equal(route?.method, operation.method, id);
    }
  });
});

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
