// Which thumbnail is made for a request (Client-Server API, "Thumbnails"). Sizes are rounded up to a few, so that
// strangers cannot have the disk filled with thumbnails that differ by a pixel.

export type Method = 'crop' | 'scale';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Variant {
  readonly method: Method;
  readonly animated: boolean;
  /** Absent: as large as the original. */
  readonly size?: Size;
}

/** The first two and the next three are the specification's. */
const SCALED_SIZES: readonly Size[] = [
  { width: 32, height: 32 },
  { width: 96, height: 96 },
  { width: 320, height: 240 },
  { width: 640, height: 480 },
  { width: 800, height: 600 },
  { width: 1600, height: 1200 },
];

const CROPPED_SIDES = [32, 96, 320, 640, 800, 1600] as const;
/** Aspect ratios of crops are rounded to 32nds of the longer side. */
const RATIO_STEPS = 32;

/** Never smaller than what is asked for; beyond the largest size it is the size of the original. */
export function chooseVariant(request: Size & { method: Method; animated: boolean }): Variant {
  const { method, animated } = request;
  const size = method === 'scale' ? scaledSize(request) : croppedSize(request);
  return { method, animated, ...(size && { size }) };
}

function scaledSize({ width, height }: Size): Size | undefined {
  return SCALED_SIZES.find((size) => size.width >= width && size.height >= height);
}

function croppedSize({ width, height }: Size): Size | undefined {
  const longer = Math.max(width, height);
  const side = CROPPED_SIDES.find((each) => each >= longer);
  if (side === undefined) return undefined;
  const steps = Math.ceil((Math.min(width, height) / longer) * RATIO_STEPS);
  const shorter = Math.ceil((side * steps) / RATIO_STEPS);
  return width >= height ? { width: side, height: shorter } : { width: shorter, height: side };
}

/** What the variant is stored under. */
export function variantName({ method, animated, size }: Variant): string {
  const dimensions = size ? `${size.width}x${size.height}-${method}` : 'full';
  return animated ? `${dimensions}-animated` : dimensions;
}

/** Undefined when the image is to be taken as it is: thumbnails are never larger than their original. */
export function targetSize(image: Size, { method, size }: Variant): Size | undefined {
  if (size === undefined || (image.width <= size.width && image.height <= size.height)) {
    return undefined;
  }
  if (method === 'scale') return scaleBy(image, sizeRatio(size, image));
  // A crop that the image is too small for keeps its aspect ratio.
  return scaleBy(size, Math.min(1, sizeRatio(image, size)));
}

/** By how much `inner` must grow or shrink to fit just within `outer`. */
function sizeRatio(outer: Size, inner: Size): number {
  return Math.min(outer.width / inner.width, outer.height / inner.height);
}

function scaleBy({ width, height }: Size, factor: number): Size {
  return {
    width: Math.max(1, Math.round(width * factor)),
    height: Math.max(1, Math.round(height * factor)),
  };
}
