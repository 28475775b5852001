import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseVariant, type Method, targetSize, variantName } from './thumbnail-sizes.ts';

function name(width: number, height: number, method: Method, animated = false): string {
  return variantName(chooseVariant({ width, height, method, animated }));
}

test('sizes are the next larger ones of the list', () => {
  assert.equal(name(32, 32, 'scale'), '32x32-scale');
  assert.equal(name(33, 1, 'scale'), '96x96-scale');
  assert.equal(name(320, 240, 'scale'), '320x240-scale');
  assert.equal(name(240, 320, 'scale'), '640x480-scale');
  assert.equal(name(800, 600, 'scale', true), '800x600-scale-animated');
  assert.equal(name(1600, 1201, 'scale'), 'full');
});

test('crops keep the aspect ratio that is asked for', () => {
  assert.equal(name(32, 32, 'crop'), '32x32-crop');
  assert.equal(name(50, 100, 'crop'), '160x320-crop');
  assert.equal(name(64, 48, 'crop'), '96x72-crop');
  assert.equal(name(320, 180, 'crop'), '320x180-crop');
  assert.equal(name(1, 1600, 'crop'), '50x1600-crop');
  assert.equal(name(2000, 10, 'crop', true), 'full-animated');
});

test('no request gets less than it asked for, and there are few variants', () => {
  const names = new Set<string>();
  for (let width = 1; width <= 1700; width += 13) {
    for (let height = 1; height <= 1700; height += 13) {
      for (const method of ['crop', 'scale'] as const) {
        const variant = chooseVariant({ width, height, method, animated: false });
        names.add(variantName(variant));
        if (variant.size === undefined) continue;
        assert.ok(variant.size.width >= width && variant.size.height >= height);
      }
    }
  }
  assert.ok(names.size <= 400, String(names.size));
});

test('images are never enlarged', () => {
  const size = { width: 320, height: 240 };
  const scale = { method: 'scale', animated: false, size } as const;
  const crop = { method: 'crop', animated: false, size } as const;
  const square = (side: number) => ({ width: side, height: side });
  assert.deepEqual(targetSize(square(1000), scale), { width: 240, height: 240 });
  assert.deepEqual(targetSize({ width: 4000, height: 1 }, scale), { width: 320, height: 1 });
  assert.deepEqual(targetSize(square(1000), crop), size);
  assert.deepEqual(targetSize({ width: 1000, height: 120 }, crop), { width: 160, height: 120 });
  assert.deepEqual(targetSize({ width: 160, height: 1000 }, crop), { width: 160, height: 120 });
  for (const variant of [scale, crop]) {
    assert.equal(targetSize({ width: 320, height: 240 }, variant), undefined);
    assert.equal(targetSize(square(10), variant), undefined);
  }
  assert.equal(targetSize(square(10_000), { method: 'crop', animated: false }), undefined);
});
