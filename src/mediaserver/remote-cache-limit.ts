// How much media of other servers is kept: beyond it, what was fetched first goes first (Client-Server API, "Content
// repository", "Security considerations"). Whoever asks for it again has it fetched again.

import type { MediaserverContext } from './context.ts';
import { deleteMedia, selectOldestRemote, selectRemoteSize } from './store/remote-media.ts';
import { deleteThumbnails, selectThumbnailFiles } from './store/thumbnails.ts';

const MEDIA_AT_ONCE = 50;

export class RemoteCacheLimit {
  readonly #context: MediaserverContext;
  /** Bytes; undefined until somebody asks. */
  #size: number | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(context: MediaserverContext) {
    this.#context = context;
  }

  /** So many bytes more are kept. Resolves when there is room for them. */
  add(bytes: number): Promise<void> {
    const own = this.#last.then(() => this.#makeRoom(bytes));
    this.#last = own.catch((error) => {
      this.#size = undefined;
      this.#context.logger.warn({ err: error }, 'media of other servers could not be dropped');
    });
    return this.#last;
  }

  async #makeRoom(bytes: number): Promise<void> {
    const { database, config } = this.#context;
    // What is read counts the new bytes already.
    const known = this.#size === undefined ? await selectRemoteSize(database) : this.#size + bytes;
    this.#size = known;
    while (this.#size > config.maxRemoteBytes) {
      const dropped = await this.#dropOldest(this.#size - config.maxRemoteBytes);
      if (dropped === 0) return;
      this.#size -= dropped;
    }
  }

  /** Enough of it, or some. Returns how many bytes. */
  async #dropOldest(wanted: number): Promise<number> {
    const { database, folder } = this.#context;
    const files: string[] = [];
    const dropped = await database.transact(async (tx) => {
      files.length = 0;
      let size = 0;
      for (const row of await selectOldestRemote(tx, MEDIA_AT_ONCE)) {
        if (size >= wanted) break;
        const key = { serverName: row.server_name, mediaId: row.media_id };
        files.push(row.file_id, ...(await selectThumbnailFiles(tx, key)));
        await deleteThumbnails(tx, key);
        await deleteMedia(tx, key);
        size += row.size;
      }
      return size;
    });
    for (const fileId of files) await folder.remove(fileId);
    return dropped;
  }
}
