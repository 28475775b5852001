// Thumbnails: made when they are first asked for, then kept.

import { Readable } from 'node:stream';
import { ConcurrencyLimit } from '../concurrency-limit.ts';
import { MatrixError } from '../protocol/error.ts';
import type { MediaFile, MediaserverApi } from './api.ts';
import type { MediaserverContext } from './context.ts';
import type { Downloads, FoundMedia } from './downloads.ts';
import { type ScaledImage, scaleImage } from './image-scaler.ts';
import { countThumbnails, insertThumbnail, selectThumbnail } from './store/thumbnails.ts';
import { chooseVariant, type Variant, variantName } from './thumbnail-sizes.ts';

const DEFAULT_MAX_PIXELS = 50_000_000;
/** Of one piece of media; more are made, but not kept. */
const MAX_KEPT = 64;
const LIMITS = { running: 2, waiting: 100 };

type ThumbnailRequest = Parameters<MediaserverApi['queryThumbnail']>[0];

export class Thumbnails {
  readonly #context: MediaserverContext;
  readonly #downloads: Downloads;
  readonly #limit = new ConcurrencyLimit(LIMITS);
  /** By file and variant, so that many who ask at once cost one scaling. */
  readonly #making = new Map<string, Promise<ScaledImage>>();

  constructor(context: MediaserverContext, downloads: Downloads) {
    this.#context = context;
    this.#downloads = downloads;
  }

  async open(request: ThumbnailRequest): Promise<MediaFile> {
    checkDimensions(request);
    const media = await this.#downloads.find(request);
    const variant = chooseVariant(request);
    const kept = await selectThumbnail(this.#context.database, media.key, variantName(variant));
    if (kept !== undefined) {
      return this.#downloads.openFile(kept.file_id, { contentType: kept.content_type });
    }
    const made = await this.#makeOnce(media, variant);
    const { contentType } = made;
    if (made.kind === 'original') return this.#downloads.openFile(media.fileId, { contentType });
    return { contentType, size: made.bytes.length, body: Readable.from([made.bytes]) };
  }

  async #makeOnce(media: FoundMedia, variant: Variant): Promise<ScaledImage> {
    const name = `${media.fileId} ${variantName(variant)}`;
    const making = this.#making.get(name) ?? this.#make(media, variant);
    this.#making.set(name, making);
    try {
      return await making;
    } finally {
      if (this.#making.get(name) === making) this.#making.delete(name);
    }
  }

  async #make(media: FoundMedia, variant: Variant): Promise<ScaledImage> {
    const { folder, config, database } = this.#context;
    const maxPixels = config.maxImagePixels ?? DEFAULT_MAX_PIXELS;
    const path = folder.path(media.fileId);
    const made = await this.#limit.run(() => scaleImage(path, variant, maxPixels));
    if ((await countThumbnails(database, media.key)) < MAX_KEPT) {
      await this.#keep(media, variant, made);
    }
    return made;
  }

  async #keep({ key, fileId }: FoundMedia, variant: Variant, made: ScaledImage): Promise<void> {
    const { folder, database } = this.#context;
    const row = { variant: variantName(variant), contentType: made.contentType };
    const record = (keptId: string) =>
      database.transact((tx) => insertThumbnail(tx, key, { ...row, fileId: keptId }));
    if (made.kind === 'original') await record(fileId);
    else {
      const body = Readable.from([made.bytes]);
      await folder.keep(body, made.bytes.length, (file) => record(file.fileId));
    }
  }
}

function checkDimensions({ width, height }: ThumbnailRequest): void {
  for (const side of [width, height]) {
    if (!Number.isSafeInteger(side) || side < 1) {
      throw new MatrixError('M_INVALID_PARAM', 'Width and height are positive integers');
    }
  }
}
