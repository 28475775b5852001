import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { MatrixError } from '../protocol/error.ts';
import type { MediaId, ServerName } from '../protocol/identifiers.ts';
import { forEachBackend, MAX_BYTES, openHarness, readAll, refusal } from './testing.ts';

const KEY = { serverName: 'other.example' as ServerName, mediaId: 'abc' as MediaId };
const REQUEST = { ...KEY, timeoutMs: 5000, allowRemote: true };

forEachBackend('remote media', (backend) => {
  test('is fetched once for all who ask, and kept', async () => {
    const asked: unknown[] = [];
    const gate = Promise.withResolvers<void>();
    const harness = await openHarness(backend, {
      fetchRemote: async (request) => {
        asked.push(request);
        await gate.promise;
        const body = Readable.from([Buffer.from('remote')]);
        return { contentType: 'text/plain', fileName: 'a.txt', body };
      },
    });
    const requests = [1, 2, 3].map(() => harness.api.queryMedia(REQUEST));
    gate.resolve();
    const content = Buffer.from('remote');
    const expected = { contentType: 'text/plain', fileName: 'a.txt', size: 6, content };
    for (const request of requests) assert.deepEqual(await readAll(await request), expected);
    assert.deepEqual(await harness.download(KEY), expected);
    const restarted = await harness.restart();
    const local = await restarted.api.queryMedia({ ...REQUEST, allowRemote: false });
    assert.deepEqual(await readAll(local), expected);
    assert.deepEqual(asked, [{ ...KEY, timeoutMs: 5000 }]);
  });

  test('is not fetched when nobody may, and a failure is not remembered', async () => {
    const answers: (() => Promise<undefined>)[] = [
      async () => undefined,
      async () => {
        throw new MatrixError('M_NOT_FOUND', 'gone');
      },
    ];
    let asked = 0;
    const fetchRemote = async () => answers[asked++]?.();
    const { api } = await openHarness(backend, { fetchRemote });
    const forbidden = api.queryMedia({ ...REQUEST, allowRemote: false });
    await assert.rejects(forbidden, refusal('M_NOT_FOUND'));
    assert.equal(asked, 0);
    for (let i = 1; i <= 2; i++) {
      await assert.rejects(api.queryMedia(REQUEST), refusal('M_NOT_FOUND'));
      assert.equal(asked, i);
    }
  });

  test('is not found without a way to fetch it', async () => {
    const { api } = await openHarness(backend);
    await assert.rejects(api.queryMedia(REQUEST), refusal('M_NOT_FOUND'));
  });

  test('has the limits of our own', async () => {
    const { api, files } = await openHarness(backend, {
      fetchRemote: async () => ({
        contentType: 'text/plain',
        body: Readable.from([Buffer.alloc(MAX_BYTES + 1)]),
      }),
    });
    await assert.rejects(api.queryMedia(REQUEST), refusal('M_TOO_LARGE'));
    assert.deepEqual(await files(), []);
  });
});
