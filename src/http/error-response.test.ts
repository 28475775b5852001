import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Errcode, MatrixError } from '../protocol/error.ts';
import { errorResponse } from './error-response.ts';

test('what another server calls its error is no name of a status', () => {
  for (const errcode of ['constructor', '__proto__', 'toString', 'ORG_EXAMPLE_REFUSED']) {
    const { status, body } = errorResponse(new MatrixError(errcode as Errcode, 'no'));
    assert.equal(status, 400);
    assert.deepEqual(JSON.parse(body), { errcode, error: 'no' });
  }
});

test('an endpoint may have a status of its own for an errcode', () => {
  const error = new MatrixError('M_UNKNOWN', 'no');
  assert.equal(errorResponse(error).status, 500);
  assert.equal(errorResponse(error, { M_UNKNOWN: 400 }).status, 400);
});
