import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { until, untilDuring } from '../../test/until.ts';
import { ManualClock } from '../clock.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { MediaKey } from './store/media.ts';
import {
  ALICE,
  BOB,
  forEachBackend,
  type Harness,
  keyOf,
  MAX_BYTES,
  openHarness,
  refusal,
} from './testing.ts';

const PNG = 'image/png';

forEachBackend('uploads', (backend) => {
  test('come back as they were', async () => {
    const harness = await openHarness(backend);
    const { api, download } = harness;
    const content = Buffer.alloc(300_000, 'keyhole');
    const chunks = [
      content.subarray(0, 7),
      content.subarray(7, 200_000),
      content.subarray(200_000),
    ];
    const { contentUri } = await api.performUpload({
      userId: ALICE,
      contentType: PNG,
      fileName: 'Bild "ä".png',
      body: Readable.from(chunks),
    });
    assert.match(contentUri, /^mxc:\/\/test\.example\/[A-Za-z]{24}$/);
    const key = keyOf(contentUri);
    const expected = { contentType: PNG, fileName: 'Bild "ä".png', size: 300_000, content };
    assert.deepEqual(await download(key), expected);
    const empty = await harness.upload('');
    assert.deepEqual((await download(empty)).size, 0);
    const restarted = await harness.restart();
    assert.deepEqual(await restarted.download(key), expected);
    assert.deepEqual(await api.queryMediaConfig(), { 'm.upload.size': MAX_BYTES });
  });

  test('may be as large as allowed and no larger, which is seen while they come', async () => {
    const { api, upload, download, files } = await openHarness(backend);
    const key = await upload(Buffer.alloc(MAX_BYTES));
    assert.equal((await download(key)).size, MAX_BYTES);
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(65_536);
      })(),
    );
    const refused = api.performUpload({ userId: ALICE, contentType: PNG, body: endless });
    await assert.rejects(refused, refusal('M_TOO_LARGE'));
    assert.equal(endless.destroyed, true);
    assert.equal((await files()).length, 1);
  });

  test('that break off leave nothing behind', async () => {
    const { api, files } = await openHarness(backend);
    const body = new PassThrough();
    body.write(Buffer.alloc(100_000));
    const upload = api.performUpload({ userId: ALICE, contentType: PNG, body });
    body.destroy(new Error('the client went away'));
    await assert.rejects(upload, refusal('M_UNKNOWN'));
    const silent = new PassThrough();
    const other = api.performUpload({ userId: ALICE, contentType: PNG, body: silent });
    silent.destroy();
    await assert.rejects(other, refusal('M_UNKNOWN'));
    assert.deepEqual(await files(), []);
  });

  test('what is asked for with an impossible name is not found', async () => {
    const { api, upload } = await openHarness(backend);
    const { mediaId } = await upload('x');
    const names = ['..', '../../etc/passwd', '%2e%2e', 'a/b', '', 'x'.repeat(256), 'unknown'];
    const request = { timeoutMs: 0, allowRemote: true };
    for (const name of names) {
      const query = api.queryMedia({ ...request, serverName: SERVER_NAME, mediaId: name });
      await assert.rejects(query, refusal('M_NOT_FOUND'), name);
    }
    for (const name of ['other.example', '../test.example', '']) {
      const query = api.queryMedia({ ...request, serverName: name as ServerName, mediaId });
      await assert.rejects(query, refusal('M_NOT_FOUND'), name);
    }
  });

  test('an upload whose COMMIT fails is not there, nor its file after a restart', async () => {
    let fails = false;
    const beforeCommit = () => (fails ? Promise.reject(new Error('disk full')) : Promise.resolve());
    const harness = await openHarness(backend, { beforeCommit });
    const kept = await harness.upload('kept');
    fails = true;
    await assert.rejects(harness.upload('lost'), { name: 'DatabaseError' });
    fails = false;
    const restarted = await harness.restart();
    await settled(restarted, 1);
    assert.equal(String((await restarted.download(kept)).content), 'kept');
  });

  test('what a crash leaves behind is removed', async () => {
    const harness = await openHarness(backend);
    const kept = await harness.upload('kept');
    await writeFile(join(harness.mediaPath, 'incoming', 'half'), 'half a file');
    const folder = join(harness.mediaPath, 'files', '00', '11');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, '2233445566778899aabbccddeeff'), 'without a row');
    assert.equal((await harness.files()).length, 3);
    const restarted = await harness.restart();
    await settled(restarted, 1);
    assert.equal(String((await restarted.download(kept)).content), 'kept');
  });

  test('a file that somebody has removed is not found', async () => {
    const harness = await openHarness(backend);
    const key = await harness.upload('x');
    const folder = join(harness.mediaPath, 'files');
    await rm(folder, { recursive: true });
    await assert.rejects(harness.download(key), refusal('M_NOT_FOUND'));
  });
});

const SERVER_NAME = 'test.example' as ServerName;

/** The removal runs beside everything else; closing waits for it, or ends it. */
async function settled({ files }: Harness, count: number): Promise<void> {
  await until(async () => (await files()).length === count);
}

class CountingClock extends ManualClock {
  scheduled = 0;

  override schedule(delayMs: number, callback: () => void): () => void {
    this.scheduled += 1;
    return super.schedule(delayMs, callback);
  }
}

async function reserve({ api }: Harness): Promise<MediaKey> {
  return keyOf((await api.performReserve({ userId: ALICE })).contentUri);
}

function put(
  { api }: Harness,
  key: MediaKey,
  change: { userId?: typeof ALICE; body?: Readable } = {},
): Promise<void> {
  const body = Readable.from([Buffer.from('content')]);
  return api.performUploadReserved({ userId: ALICE, contentType: PNG, body, ...key, ...change });
}

forEachBackend('reserved uploads', (backend) => {
  test('are uploaded to later, once', async () => {
    const harness = await openHarness(backend);
    const { contentUri, unusedExpiresTs } = await harness.api.performReserve({ userId: ALICE });
    assert.equal(unusedExpiresTs, harness.clock.now() + 86_400_000);
    const key = keyOf(contentUri);
    await put(harness, key);
    assert.equal(String((await harness.download(key)).content), 'content');
    await assert.rejects(put(harness, key), refusal('M_CANNOT_OVERWRITE_MEDIA'));
    harness.clock.advance(86_400_000);
    assert.equal((await harness.download(key)).size, 7);
  });

  test('are for those who reserved them, here', async () => {
    const harness = await openHarness(backend);
    const key = await reserve(harness);
    await assert.rejects(put(harness, key, { userId: BOB }), refusal('M_FORBIDDEN'));
    const elsewhere = { ...key, serverName: 'other.example' as ServerName };
    await assert.rejects(put(harness, elsewhere), refusal('M_NOT_FOUND'));
    const invented = { ...key, mediaId: 'invented' as MediaKey['mediaId'] };
    await assert.rejects(put(harness, invented), refusal('M_NOT_FOUND'));
    const uploaded = await harness.upload('x');
    await assert.rejects(put(harness, uploaded), refusal('M_CANNOT_OVERWRITE_MEDIA'));
    await put(harness, key);
  });

  test('of two uploads at once, one comes first and the other leaves nothing', async () => {
    const harness = await openHarness(backend);
    const key = await reserve(harness);
    const bodies = [new PassThrough(), new PassThrough()];
    const uploads = bodies.map((body) => put(harness, key, { body }));
    const results = Promise.allSettled(uploads);
    for (const body of bodies) body.end('content');
    const refused = (await results).filter((result) => result.status === 'rejected');
    assert.deepEqual(
      refused.map(({ reason }) => reason.errcode),
      ['M_CANNOT_OVERWRITE_MEDIA'],
    );
    assert.equal((await harness.files()).length, 1);
  });

  test('expire, unless the upload has begun', async () => {
    const harness = await openHarness(backend);
    const [late, begun] = [await reserve(harness), await reserve(harness)];
    const body = new PassThrough();
    body.write('con');
    const upload = put(harness, begun, { body });
    // Past the check of the reservation, which comes before the body is read.
    await untilDuring(upload, () => body.readableLength === 0);
    harness.clock.advance(86_400_000);
    await assert.rejects(put(harness, late), refusal('M_NOT_FOUND'));
    await assert.rejects(harness.download(late), refusal('M_NOT_FOUND'));
    await reserve(harness);
    body.end('tent');
    await upload;
    assert.equal(String((await harness.download(begun)).content), 'content');
  });

  test('a failed upload can be repeated', async () => {
    const harness = await openHarness(backend);
    const key = await reserve(harness);
    const body = Readable.from([Buffer.alloc(MAX_BYTES + 1)]);
    await assert.rejects(put(harness, key, { body }), refusal('M_TOO_LARGE'));
    await put(harness, key);
    assert.equal((await harness.files()).length, 1);
  });

  test('are limited in number until they are used or expire', async () => {
    const harness = await openHarness(backend, { config: { maxPendingUploads: 2 } });
    const [first] = [await reserve(harness), await reserve(harness)];
    await assert.rejects(reserve(harness), refusal('M_LIMIT_EXCEEDED'));
    await harness.api.performReserve({ userId: BOB });
    await put(harness, first);
    await reserve(harness);
    await assert.rejects(reserve(harness), refusal('M_LIMIT_EXCEEDED'));
    harness.clock.advance(86_400_001);
    await reserve(harness);
    harness.clock.advance(86_400_001);
    await reserve(harness);
  });

  test('are waited for, until time is over', async () => {
    const clock = new CountingClock();
    const harness = await openHarness(backend, { clock });
    const { api } = harness;
    const key = await reserve(harness);
    const request = { ...key, allowRemote: true };
    const now = api.queryMedia({ ...request, timeoutMs: 0 });
    await assert.rejects(now, refusal('M_NOT_YET_UPLOADED'));
    const before = clock.scheduled;
    const short = assert.rejects(
      api.queryMedia({ ...request, timeoutMs: 1000 }),
      refusal('M_NOT_YET_UPLOADED'),
    );
    const long = api.queryMedia({ ...request, timeoutMs: 20_000 });
    const other = api.queryMedia({ ...request, timeoutMs: 20_000 });
    await until(() => clock.scheduled >= before + 3);
    clock.advance(1000);
    await short;
    await put(harness, key);
    for (const file of [await long, await other]) {
      assert.equal(file.size, 7);
      file.body.destroy();
    }
  });
});
