import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import type { MediaKey } from './store/media.ts';
import { forEachBackend, type Harness, openHarness, readAll, refusal } from './testing.ts';

type Options = {
  width?: number;
  height?: number;
  method?: 'crop' | 'scale';
  animated?: boolean;
};

async function thumbnail({ api }: Harness, key: MediaKey, options: Options = {}) {
  const size = { width: 320, height: 240, method: 'scale', animated: false } as const;
  const request = { ...key, ...size, timeoutMs: 0, allowRemote: true, ...options };
  return readAll(await api.queryThumbnail(request));
}

function image(width: number, height: number, channels: 3 | 4 = 3) {
  return sharp({
    create: { width, height, channels, background: { r: 200, g: 0, b: 0, alpha: 0.5 } },
  });
}

/** A strip of frames, red and blue. */
async function animation(format: 'gif' | 'webp', side = 400): Promise<Buffer> {
  const frames = await Promise.all(
    ['red', 'blue'].map((background) =>
      sharp({ create: { width: side, height: side, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  );
  return sharp(frames, { join: { animated: true } })
    .toFormat(format)
    .toBuffer();
}

async function describe(content: Buffer): Promise<string> {
  const { format, width, height, pages = 1 } = await sharp(content).metadata();
  return `${format} ${width}x${height}, ${pages}`;
}

forEachBackend('thumbnails', (backend) => {
  test('are scaled to fit, or cropped to fill', async () => {
    const harness = await openHarness(backend);
    const key = await harness.upload(await image(1000, 500).jpeg().toBuffer(), 'image/jpeg');
    const scaled = await thumbnail(harness, key);
    assert.equal(scaled.contentType, 'image/jpeg');
    assert.equal(scaled.size, scaled.content.length);
    assert.equal(await describe(scaled.content), 'jpeg 320x160, 1');
    const cropped = await thumbnail(harness, key, { width: 90, height: 90, method: 'crop' });
    assert.equal(await describe(cropped.content), 'jpeg 96x96, 1');
    const large = await thumbnail(harness, key, { width: 5000, height: 5000 });
    assert.equal(await describe(large.content), 'jpeg 1000x500, 1');
  });

  test('are made once, and kept', async () => {
    const harness = await openHarness(backend);
    const key = await harness.upload(await image(1000, 500).png().toBuffer(), 'image/png');
    const made = await Promise.all([1, 2, 3, 4].map(() => thumbnail(harness, key)));
    assert.equal((await harness.files()).length, 2);
    for (const each of [...made, await thumbnail(harness, key)]) assert.deepEqual(each, made[0]);
    const restarted = await harness.restart();
    assert.deepEqual(await thumbnail(restarted, key), made[0]);
    assert.equal((await harness.files()).length, 2);
  });

  test('of small images are the images themselves', async () => {
    const harness = await openHarness(backend);
    for (const format of ['jpeg', 'png', 'gif', 'webp'] as const) {
      const original = await image(100, 50).toFormat(format).toBuffer();
      const key = await harness.upload(original, 'application/octet-stream');
      const contentType = `image/${format}`;
      const expected = { contentType, size: original.length, content: original };
      for (const _ of ['made', 'kept']) assert.deepEqual(await thumbnail(harness, key), expected);
    }
    assert.equal((await harness.files()).length, 4);
    const avif = await harness.upload(await image(100, 50).avif().toBuffer(), 'image/avif');
    assert.equal(await describe((await thumbnail(harness, avif)).content), 'jpeg 100x50, 1');
  });

  test('keep transparency', async () => {
    const harness = await openHarness(backend);
    const key = await harness.upload(await image(1000, 1000, 4).webp().toBuffer());
    const { contentType, content } = await thumbnail(harness, key);
    assert.equal(contentType, 'image/png');
    assert.equal(await describe(content), 'png 240x240, 1');
  });

  test('are turned as the photograph says', async () => {
    const harness = await openHarness(backend);
    const content = await image(1000, 500).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const key = await harness.upload(content);
    const made = await thumbnail(harness, key);
    assert.equal(await describe(made.content), 'jpeg 120x240, 1');
    assert.equal((await sharp(made.content).metadata()).orientation, undefined);
  });

  test('move only if they are asked to', async () => {
    const harness = await openHarness(backend);
    for (const format of ['gif', 'webp'] as const) {
      const key = await harness.upload(await animation(format));
      const still = await thumbnail(harness, key);
      assert.match(await describe(still.content), /^(png|jpeg) 240x240, 1$/);
      const moving = await thumbnail(harness, key, { animated: true });
      assert.equal(moving.contentType, 'image/webp');
      assert.equal(await describe(moving.content), 'webp 240x240, 2');
      const cropped = { width: 32, height: 32, method: 'crop', animated: true } as const;
      const small = await thumbnail(harness, key, cropped);
      assert.equal(await describe(small.content), 'webp 32x32, 2');
    }
  });

  test('of small animations stand still as well, unless they are asked not to', async () => {
    const harness = await openHarness(backend);
    const original = await animation('gif', 16);
    const key = await harness.upload(original);
    const still = await thumbnail(harness, key);
    assert.equal(await describe(still.content), 'png 16x16, 1');
    assert.deepEqual((await thumbnail(harness, key, { animated: true })).content, original);
    const photograph = await harness.upload(await image(1000, 500).jpeg().toBuffer());
    const same = await thumbnail(harness, photograph, { animated: true });
    assert.equal(await describe(same.content), 'jpeg 320x160, 1');
  });

  test('a PNG that says it is animated is not passed on as it is', async () => {
    const harness = await openHarness(backend);
    const png = await image(20, 20).png().toBuffer();
    const chunk = Buffer.from('000000086163544c000000010000000000000000', 'hex');
    // Behind signature and IHDR; the checksum is wrong, which readers of still images do not mind.
    const animated = Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
    const key = await harness.upload(animated, 'image/png');
    const { content } = await thumbnail(harness, key);
    assert.ok(!content.includes('acTL'));
    assert.equal(await describe(content), 'png 20x20, 1');
  });

  test('are not made of what is no image, or of formats that are not trusted', async () => {
    const harness = await openHarness(backend);
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect/></svg>';
    const tiff = await image(10, 10).tiff().toBuffer();
    const png = await image(1000, 1000).png().toBuffer();
    const jpeg = await image(1000, 1000).jpeg().toBuffer();
    const bad = [svg, tiff, '', 'garbage', png.subarray(0, 100), jpeg.subarray(0, 100)];
    for (const content of bad) {
      const key = await harness.upload(content, 'image/png');
      await assert.rejects(thumbnail(harness, key), refusal('M_UNKNOWN'));
      await assert.rejects(thumbnail(harness, key), refusal('M_UNKNOWN'));
    }
    assert.equal((await harness.files()).length, bad.length);
  });

  test('are not made of images with too many pixels', async () => {
    const harness = await openHarness(backend, { config: { maxImagePixels: 250_000 } });
    const bomb = await harness.upload(await image(501, 500).png().toBuffer());
    await assert.rejects(thumbnail(harness, bomb), refusal('M_TOO_LARGE'));
    const fits = await harness.upload(await image(500, 500).png().toBuffer());
    assert.equal(await describe((await thumbnail(harness, fits)).content), 'png 240x240, 1');
    // All frames together are too many: it stands still.
    const film = await harness.upload(await animation('gif'));
    const still = await thumbnail(harness, film, { animated: true });
    assert.equal(await describe(still.content), 'png 240x240, 1');
  });

  test('are refused for dimensions that are none, and for media that is not there', async () => {
    const harness = await openHarness(backend);
    const key = await harness.upload(await image(10, 10).png().toBuffer());
    for (const width of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await assert.rejects(thumbnail(harness, key, { width }), refusal('M_INVALID_PARAM'));
    }
    const unknown = { ...key, mediaId: 'unknown' as MediaKey['mediaId'] };
    await assert.rejects(thumbnail(harness, unknown), refusal('M_NOT_FOUND'));
  });

  test('are kept up to a number, and made all the same beyond it', async () => {
    const harness = await openHarness(backend);
    const key = await harness.upload(await image(100, 100).png().toBuffer());
    for (let height = 1; height <= 32; height++) {
      for (const [width, other] of [
        [32, height],
        [height, 32],
        [96, 3 * height],
      ] as const) {
        const made = await thumbnail(harness, key, { width, height: other, method: 'crop' });
        assert.ok(made.size > 0);
      }
    }
    assert.equal((await harness.files()).length, 65);
  });
});
