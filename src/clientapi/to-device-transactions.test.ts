import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ToDeviceTransactions } from './to-device-transactions.ts';

test('a retransmission sends nothing, even while the first is under way', async () => {
  const transactions = new ToDeviceTransactions();
  const { promise, resolve } = Promise.withResolvers<void>();
  let sent = 0;
  const send = async () => {
    sent += 1;
    await promise;
  };
  const both = [transactions.once(['a', '1'], send), transactions.once(['a', '1'], send)];
  resolve();
  await Promise.all(both);
  await transactions.once(['a', '1'], send);
  assert.equal(sent, 1);
  await transactions.once(['a', '2'], send);
  await transactions.once(['a,1'], send);
  assert.equal(sent, 3);
});

test('what failed may be sent again', async () => {
  const transactions = new ToDeviceTransactions();
  const fail = () => Promise.reject(new Error('no database'));
  await assert.rejects(transactions.once(['a'], fail), /no database/);
  let sent = 0;
  await transactions.once(['a'], async () => {
    sent += 1;
  });
  assert.equal(sent, 1);
});
