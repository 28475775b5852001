// Thumbnails: made when they are first asked for, then kept.

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ConcurrencyLimit } from '../concurrency-limit.ts';
import { GatewayError, MatrixError } from '../protocol/error.ts';
import type { MediaFile, MediaserverApi } from './api.ts';
import type { MediaserverContext } from './context.ts';
import type { Downloads, FoundMedia } from './downloads.ts';
import { type ImageSource, type ScaledImage, scaleImage } from './image-scaler.ts';
import { countThumbnails, insertThumbnail, selectThumbnail } from './store/thumbnails.ts';
import { chooseVariant, type Variant, variantName } from './thumbnail-sizes.ts';

const DEFAULT_MAX_PIXELS = 50_000_000;
/** Of one piece of media; more are made, but not kept. */
const MAX_KEPT = 64;
/** Of a thumbnail that another server has made. */
const MAX_THEIR_BYTES = 2 * 1024 * 1024;
const LARGEST = { width: 1600, height: 1200 };
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
    const made = await this.#makeOnce(media, variant, request.allowRemote);
    const { contentType } = made;
    if (made.kind === 'original') return this.#downloads.openFile(media.fileId, { contentType });
    return { contentType, size: made.bytes.length, body: Readable.from([made.bytes]) };
  }

  async #makeOnce(media: FoundMedia, variant: Variant, allowRemote: boolean): Promise<ScaledImage> {
    const name = `${media.fileId} ${variantName(variant)} ${allowRemote}`;
    const making = this.#making.get(name) ?? this.#make(media, variant, allowRemote);
    this.#making.set(name, making);
    try {
      return await making;
    } finally {
      if (this.#making.get(name) === making) this.#making.delete(name);
    }
  }

  async #make(media: FoundMedia, variant: Variant, allowRemote: boolean): Promise<ScaledImage> {
    const { folder, database, serverName } = this.#context;
    const isRemote = media.key.serverName !== serverName;
    const made = await this.#scale(folder.path(media.fileId), variant).catch(async (error) => {
      if (!isRemote || !(error instanceof MatrixError)) throw error;
      const { errcode, message } = error;
      // That an image is too large is its server's fault.
      if (errcode === 'M_TOO_LARGE') throw new GatewayError(errcode, message);
      const theirs = errcode === 'M_UNKNOWN' && allowRemote && this.#fetchTheirs(media, variant);
      return (await theirs) || Promise.reject(error);
    });
    if ((await countThumbnails(database, media.key)) < MAX_KEPT) {
      await this.#keep(media, variant, made);
    }
    return made;
  }

  #scale(image: ImageSource, variant: Variant): Promise<ScaledImage> {
    const maxPixels = this.#context.config.maxImagePixels ?? DEFAULT_MAX_PIXELS;
    return this.#limit.run(() => scaleImage(image, variant, maxPixels));
  }

  /** What its own server, which may read more formats, makes of it. Undefined when that is of no use, either. */
  async #fetchTheirs({ key }: FoundMedia, variant: Variant): Promise<ScaledImage | undefined> {
    const { serverName: destination, mediaId } = key;
    const thumbnail = { ...LARGEST, ...variant.size, ...variant };
    const limits = { timeoutMs: 0, maxBytes: MAX_THEIR_BYTES };
    const request = { destination, mediaId, thumbnail, ...limits };
    try {
      const file = await this.#context.federation?.download(request);
      if (file === undefined) return undefined;
      const bytes = await buffer(file.body);
      const made = await this.#scale(bytes, variant);
      return made.kind === 'scaled' ? made : { ...made, kind: 'scaled', bytes };
    } catch (error) {
      this.#context.logger.debug({ err: error, ...key }, 'there is no thumbnail of remote media');
      return undefined;
    }
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
