import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import sharp from 'sharp';
import type { FederationClient, MediaRequest, RemoteFile } from '../federation/api.ts';
import { FederationError } from '../federation/federation-error.ts';
import { AnswerTooLargeError } from '../federation/http-exchange.ts';
import { GatewayError } from '../protocol/error.ts';
import type { MediaId, ServerName } from '../protocol/identifiers.ts';
import { forEachBackend, MAX_BYTES, openHarness, readAll, refusal } from './testing.ts';

const OTHER = 'other.example' as ServerName;
const KEY = { serverName: OTHER, mediaId: 'abc' as MediaId };
const REQUEST = { ...KEY, timeoutMs: 5000, allowRemote: true };

const RED = { width: 100, height: 100, channels: 3, background: 'red' } as const;

interface Other extends Pick<FederationClient, 'download'> {
  readonly asked: MediaRequest[];
}

function other(answer: (request: MediaRequest) => RemoteFile | Promise<RemoteFile>): Other {
  const asked: MediaRequest[] = [];
  return {
    asked,
    download: async (request) => {
      asked.push(request);
      return await answer(request);
    },
  };
}

const fileOf = (...pieces: Uint8Array[]): RemoteFile => ({
  body: Readable.from(pieces, { objectMode: false }),
  contentType: 'text/plain',
  fileName: 'a.txt',
});

const failed = (details: Partial<ConstructorParameters<typeof FederationError>[2]>) =>
  new FederationError('refused', OTHER, { message: 'no', ...details });

forEachBackend('remote media', (backend) => {
  test('is fetched once for all who ask, and kept', async () => {
    const gate = Promise.withResolvers<void>();
    const federation = other(async () => {
      await gate.promise;
      return fileOf(Buffer.from('re'), Buffer.from('mote'));
    });
    const harness = await openHarness(backend, { federation });
    const requests = [1, 2, 3].map(() => harness.api.queryMedia(REQUEST));
    gate.resolve();
    const content = Buffer.from('remote');
    const expected = { contentType: 'text/plain', fileName: 'a.txt', size: 6, content };
    for (const request of requests) assert.deepEqual(await readAll(await request), expected);
    assert.deepEqual(await harness.download(KEY), expected);
    const restarted = await harness.restart();
    const local = await restarted.api.queryMedia({ ...REQUEST, allowRemote: false });
    assert.deepEqual(await readAll(local), expected);
    const [{ signal: _, ...asked } = {}, ...more] = federation.asked;
    const wanted = { destination: OTHER, mediaId: 'abc', timeoutMs: 5000, maxBytes: MAX_BYTES };
    assert.deepEqual([asked, more], [wanted, []]);
  });

  test('is not fetched when nobody may, and a failure is not remembered', async () => {
    const federation = other(() => Promise.reject(failed({ status: 404 })));
    const { api } = await openHarness(backend, { federation });
    const forbidden = api.queryMedia({ ...REQUEST, allowRemote: false });
    await assert.rejects(forbidden, refusal('M_NOT_FOUND'));
    assert.equal(federation.asked.length, 0);
    for (let i = 1; i <= 2; i++) {
      await assert.rejects(api.queryMedia(REQUEST), refusal('M_NOT_FOUND'));
      assert.equal(federation.asked.length, i);
    }
  });

  test('is not found without a way to fetch it', async () => {
    const { api } = await openHarness(backend);
    await assert.rejects(api.queryMedia(REQUEST), refusal('M_NOT_FOUND'));
  });

  test('that is refused is refused in the terms of the specification', async () => {
    const cases: readonly [Partial<FederationError>, string, boolean][] = [
      [{ status: 404, errcode: 'M_UNRECOGNIZED' }, 'M_NOT_FOUND', false],
      [{ status: 504, errcode: 'M_NOT_YET_UPLOADED' }, 'M_NOT_YET_UPLOADED', false],
      [{ status: 429, errcode: 'M_LIMIT_EXCEEDED' }, 'M_LIMIT_EXCEEDED', false],
      [{ status: 502, errcode: 'M_TOO_LARGE' }, 'M_TOO_LARGE', true],
      [{ cause: new AnswerTooLargeError(1) }, 'M_TOO_LARGE', true],
      [{ status: 403, errcode: 'M_FORBIDDEN' }, 'M_UNKNOWN', true],
      [{}, 'M_UNKNOWN', true],
    ];
    let refused: object = {};
    const federation = other(() => Promise.reject(failed(refused)));
    const { api } = await openHarness(backend, { federation });
    for (const [details, errcode, isGateway] of cases) {
      refused = details;
      const error = await api.queryMedia(REQUEST).catch((reason) => reason);
      assert.equal(error.errcode, errcode);
      assert.equal(error instanceof GatewayError, isGateway, errcode);
    }
  });

  test('that breaks off leaves nothing, and is fetched anew', async () => {
    let isWhole = false;
    const federation = other(() => {
      if (isWhole) return fileOf(Buffer.from('whole'));
      async function* half() {
        yield Buffer.from('half');
        throw failed({ status: 504, errcode: 'M_NOT_YET_UPLOADED' });
      }
      return { ...fileOf(), body: Readable.from(half(), { objectMode: false }) };
    });
    const harness = await openHarness(backend, { federation });
    await assert.rejects(harness.api.queryMedia(REQUEST), refusal('M_NOT_YET_UPLOADED'));
    assert.deepEqual(await harness.files(), []);
    isWhole = true;
    assert.equal(String((await harness.download(KEY)).content), 'whole');
    assert.equal(federation.asked.length, 2);
  });

  test('has the limits of our own', async () => {
    const federation = other(() => fileOf(Buffer.alloc(MAX_BYTES + 1)));
    const { api, files } = await openHarness(backend, { federation });
    await assert.rejects(api.queryMedia(REQUEST), refusal('M_TOO_LARGE'));
    assert.deepEqual(await files(), []);
  });

  test('of one server does not hold up that of others', async () => {
    const gate = Promise.withResolvers<void>();
    const federation = other(async ({ destination }) => {
      if (destination === OTHER) await gate.promise;
      return fileOf(Buffer.from('remote'));
    });
    const { api } = await openHarness(backend, { federation });
    const many = Array.from({ length: 105 }, (_, n) =>
      api.queryMedia({ ...REQUEST, mediaId: `m${n}` as MediaId }).then(readAll),
    );
    const refused = Promise.withResolvers<{ errcode: string }>();
    for (const one of many) one.catch(refused.resolve);
    assert.equal((await refused.promise).errcode, 'M_LIMIT_EXCEEDED');
    await readAll(await api.queryMedia({ ...REQUEST, serverName: 'b.example' as ServerName }));
    assert.equal(federation.asked.length, 5);
    gate.resolve();
    const settled = await Promise.allSettled(many);
    assert.equal(settled.filter(({ status }) => status === 'rejected').length, 1);
  });

  test('is dropped, first what was fetched first, where there would be too much of it', async () => {
    const federation = other(() => fileOf(Buffer.alloc(400)));
    const config = { maxRemoteBytes: 1000 };
    let harness = await openHarness(backend, { federation, config });
    const own = await harness.upload('our own');
    const fetch = async (mediaId: string) => {
      await readAll(await harness.api.queryMedia({ ...REQUEST, mediaId: mediaId as MediaId }));
      harness.clock.advance(1000);
    };
    for (const mediaId of ['a', 'b']) await fetch(mediaId);
    harness = await harness.restart();
    for (const mediaId of ['b', 'c', 'd']) await fetch(mediaId);
    const askedFor = federation.asked.map(({ mediaId }) => mediaId);
    assert.deepEqual(askedFor, ['a', 'b', 'c', 'd']);
    assert.equal((await harness.files()).length, 3);
    assert.equal((await harness.download(own)).size, 7);
    const request = { ...REQUEST, allowRemote: false };
    for (const [mediaId, isThere] of Object.entries({ a: false, b: false, c: true, d: true })) {
      const found = harness.api.queryMedia({ ...request, mediaId: mediaId as MediaId });
      if (isThere) await readAll(await found);
      else await assert.rejects(found, refusal('M_NOT_FOUND'));
    }
    await fetch('a');
    assert.equal(federation.asked.length, 5);
  });

  test('goes with its thumbnails', async () => {
    const image = await sharp({ create: RED }).png().toBuffer();
    const federation = other(() => ({ ...fileOf(image), contentType: 'image/png' }));
    const config = { maxRemoteBytes: image.length + 1 };
    const { api, files, clock } = await openHarness(backend, { federation, config });
    const size = { width: 32, height: 32, method: 'crop', animated: false } as const;
    await readAll(await api.queryThumbnail({ ...REQUEST, ...size }));
    assert.equal((await files()).length, 2);
    clock.advance(1000);
    await readAll(await api.queryMedia({ ...REQUEST, mediaId: 'other' as MediaId }));
    assert.equal((await files()).length, 1);
    const gone = api.queryThumbnail({ ...REQUEST, ...size, allowRemote: false });
    await assert.rejects(gone, refusal('M_NOT_FOUND'));
  });

  test('on its way ends with the mediaserver', async () => {
    const reading = Promise.withResolvers<void>();
    const federation = other(({ signal }) => {
      const body = new Readable({ read: () => reading.resolve() });
      signal?.addEventListener('abort', () => body.destroy(failed({})));
      return { ...fileOf(), body };
    });
    const harness = await openHarness(backend, { federation });
    const request = assert.rejects(harness.api.queryMedia(REQUEST), refusal('M_UNKNOWN'));
    await reading.promise;
    const restarted = await harness.restart();
    await request;
    assert.deepEqual(await restarted.files(), []);
  });
});
