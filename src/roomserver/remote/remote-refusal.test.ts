import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FederationError } from '../../federation/federation-error.ts';
import { MatrixError } from '../../protocol/error.ts';
import { parseServerName } from '../../protocol/identifiers.ts';
import { remoteRefusal } from './remote-refusal.ts';

test('only what another server can say of the request is passed on', () => {
  for (const [said, told] of [
    ['M_FORBIDDEN', 'M_FORBIDDEN'],
    ['M_UNKNOWN_TOKEN', 'M_UNKNOWN'],
    ['constructor', 'M_UNKNOWN'],
    ['__proto__', 'M_UNKNOWN'],
  ] as const) {
    const details = { message: 'answered 403', status: 403, errcode: said };
    const error = remoteRefusal(new FederationError('refused', parseServerName('b'), details));
    assert.ok(error instanceof MatrixError);
    assert.equal(error.errcode, told);
  }
});
