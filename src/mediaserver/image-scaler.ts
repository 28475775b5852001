// Reading and scaling images, all of it hostile: few formats, few pixels, little time.

import { open } from 'node:fs/promises';
import type { Metadata, Sharp } from 'sharp';
import { MatrixError } from '../protocol/error.ts';
import { type Size, targetSize, type Variant } from './thumbnail-sizes.ts';

const TIMEOUT_SECONDS = 30;
const JPEG_QUALITY = 80;
/** Where a PNG says that it is animated, if it is. */
const PNG_HEAD_BYTES = 65_536;

/** Formats that may be served as they are, by sharp's names. */
const SERVABLE: Readonly<Record<string, string>> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
};

/** A path, or the bytes. */
export type ImageSource = string | Buffer;

export type ScaledImage =
  /** The original will do. */
  | { readonly kind: 'original'; readonly contentType: string }
  | { readonly kind: 'scaled'; readonly contentType: string; readonly bytes: Buffer };

/** Throws M_UNKNOWN for what is no image that we read, M_TOO_LARGE beyond `maxPixels`. */
export async function scaleImage(
  image: ImageSource,
  variant: Variant,
  maxPixels: number,
): Promise<ScaledImage> {
  try {
    return await scale(image, variant, maxPixels);
  } catch (error) {
    if (error instanceof MatrixError) throw error;
    throw new MatrixError('M_UNKNOWN', 'There is no thumbnail of this media');
  }
}

async function scale(
  image: ImageSource,
  variant: Variant,
  maxPixels: number,
): Promise<ScaledImage> {
  const sharp = await loadSharp();
  const metadata = await sharp(image, { limitInputPixels: false }).metadata();
  const size = sizeOf(metadata);
  const pixels = size.width * size.height;
  if (pixels > maxPixels) throw new MatrixError('M_TOO_LARGE', 'The image is too large');
  const pages = metadata.pages ?? 1;
  const isAnimated = pages > 1 || (metadata.format === 'png' && (await isAnimatedPng(image)));
  const animated = variant.animated && pages > 1 && pixels * pages <= maxPixels;
  const target = targetSize(size, variant);
  const servable = SERVABLE[metadata.format ?? ''];
  if (target === undefined && servable !== undefined && animated === isAnimated) {
    return { kind: 'original', contentType: servable };
  }
  const input = sharp(image, { limitInputPixels: maxPixels, animated });
  const resized = resize(input.timeout({ seconds: TIMEOUT_SECONDS }).autoOrient(), variant, target);
  return encode(resized, metadata, animated);
}

/** As it is to be seen: turned as the metadata of a photograph say. */
function sizeOf({ autoOrient, width, height, pageHeight }: Metadata): Size {
  return autoOrient ?? { width, height: pageHeight ?? height };
}

function resize(image: Sharp, { method }: Variant, target: Size | undefined): Sharp {
  if (target === undefined) return image;
  return image.resize({ ...target, fit: method === 'crop' ? 'cover' : 'fill' });
}

/** JPEG where nothing is lost by it: it knows neither transparency nor sharp edges. */
async function encode(image: Sharp, metadata: Metadata, animated: boolean): Promise<ScaledImage> {
  if (animated) {
    return { kind: 'scaled', contentType: 'image/webp', bytes: await image.webp().toBuffer() };
  }
  if (metadata.format === 'png' || metadata.hasAlpha) {
    return { kind: 'scaled', contentType: 'image/png', bytes: await image.png().toBuffer() };
  }
  const bytes = await image.jpeg({ quality: JPEG_QUALITY }).toBuffer();
  return { kind: 'scaled', contentType: 'image/jpeg', bytes };
}

/** libvips reads the first frame of an animated PNG without a word. `acTL` may also stand there by chance. */
async function isAnimatedPng(image: ImageSource): Promise<boolean> {
  const head = typeof image === 'string' ? await readHead(image) : image;
  return head.subarray(0, PNG_HEAD_BYTES).includes('acTL');
}

async function readHead(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(PNG_HEAD_BYTES), 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** All that libvips may read; it knows many more formats. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map((name) => `VipsForeignLoad${name}`);

type SharpFactory = typeof import('sharp')['default'];

let loading: Promise<SharpFactory> | undefined;

/** At the first thumbnail: it takes time and memory that many servers never need. */
function loadSharp(): Promise<SharpFactory> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false);
    sharp.concurrency(1);
    sharp.block({ operation: ['VipsForeignLoad'] });
    sharp.unblock({ operation: LOADERS });
    return sharp;
  });
  return loading;
}
