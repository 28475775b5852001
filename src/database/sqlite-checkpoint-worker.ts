// The worker thread of sqlite-checkpoints.ts: answers each `checkpoint` with the length of the log in pages.

import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

const database = new DatabaseSync(workerData as string, { timeout: 0 });

parentPort?.on('message', (message: 'checkpoint' | 'close') => {
  if (message === 'close') {
    database.close();
    parentPort?.close();
    return;
  }
  const status = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get();
  parentPort?.postMessage(Number(status?.log));
});
