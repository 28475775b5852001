import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DOCUMENT, withTable } from './config-table.ts';

test('the document describes every key as the code has it', () => {
  const text = readFileSync(DOCUMENT, 'utf8');
  assert.equal(text, withTable(text), 'run: node scripts/config-table.ts --write');
});
