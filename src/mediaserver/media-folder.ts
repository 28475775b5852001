// The folder with the files. A file is written aside, forced to disk and renamed before anybody can see it; what a
// crash leaves behind is removed at the next start.

import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, constants, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DatabaseError } from '../database/database.ts';
import { MatrixError } from '../protocol/error.ts';
import { explainSystemError, StartupError } from '../startup-error.ts';

export interface KeptFile {
  /** 32 hexadecimal digits. */
  readonly fileId: string;
  /** Bytes. */
  readonly size: number;
}

export interface OpenedFile {
  readonly size: number;
  readonly body: Readable;
}

export class MediaFolder {
  readonly #incoming: string;
  readonly #files: string;
  /** Being written, or not recorded yet. */
  readonly #unrecorded = new Set<string>();

  private constructor(path: string) {
    this.#incoming = join(path, 'incoming');
    this.#files = join(path, 'files');
  }

  /** Makes the folder if need be. One process at a time may use it. Throws StartupError where it cannot be made or used. */
  static async open(path: string): Promise<MediaFolder> {
    const folder = new MediaFolder(path);
    try {
      await rm(folder.#incoming, { recursive: true, force: true });
      await mkdir(folder.#incoming, { recursive: true });
      await mkdir(folder.#files, { recursive: true });
      await access(folder.#files, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (cause) {
      throw new StartupError(`media_path: ${explainSystemError(cause)}`, { cause });
    }
    return folder;
  }

  /**
   * Keeps the body, and calls `record` once it is safe on disk; if that fails, the file goes. Throws M_TOO_LARGE
   * beyond `maxBytes`, M_UNKNOWN when the body breaks off, and whatever `record` throws.
   */
  async keep<T>(
    body: Readable,
    maxBytes: number,
    record: (file: KeptFile) => Promise<T>,
  ): Promise<T> {
    const fileId = randomBytes(16).toString('hex');
    this.#unrecorded.add(fileId);
    try {
      const size = await this.#write(fileId, body, maxBytes);
      return await record({ fileId, size });
    } catch (error) {
      // After a COMMIT of unknown fate the file may be needed: the next start decides.
      if (!isFateUnknown(error)) await rm(this.path(fileId), { force: true });
      throw error;
    } finally {
      this.#unrecorded.delete(fileId);
    }
  }

  path(fileId: string): string {
    return join(this.#files, fileId.slice(0, 2), fileId.slice(2, 4), fileId.slice(4));
  }

  /** Undefined when the file is not there. */
  async openFile(fileId: string): Promise<OpenedFile | undefined> {
    try {
      const handle = await open(this.path(fileId), 'r');
      const { size } = await handle.stat();
      return { size, body: handle.createReadStream() };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async remove(fileId: string): Promise<void> {
    await rm(this.path(fileId), { force: true });
  }

  /**
   * The ids of the files, folder by folder, without those that are not recorded yet when their folder is read. A
   * file that is listed is therefore either recorded by now or left over.
   */
  async *list(): AsyncGenerator<string[]> {
    for (const first of await readdir(this.#files)) {
      for (const second of await readdir(join(this.#files, first))) {
        const names = await readdir(join(this.#files, first, second));
        const fileIds = names.map((name) => first + second + name);
        yield fileIds.filter((fileId) => !this.#unrecorded.has(fileId));
      }
    }
  }

  /** Returns the size. */
  async #write(fileId: string, body: Readable, maxBytes: number): Promise<number> {
    const incoming = join(this.#incoming, fileId);
    try {
      const size = await writeLimited(body, incoming, maxBytes);
      const path = this.path(fileId);
      await mkdir(dirname(path), { recursive: true });
      await rename(incoming, path);
      for (const folder of [dirname(path), dirname(dirname(path)), this.#files]) {
        await syncFolder(folder);
      }
      return size;
    } catch (error) {
      await rm(incoming, { force: true });
      throw error;
    }
  }
}

async function writeLimited(body: Readable, path: string, maxBytes: number): Promise<number> {
  let size = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size <= maxBytes) done(null, chunk);
      else done(new MatrixError('M_TOO_LARGE', `Files have at most ${maxBytes} bytes`));
    },
  });
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true });
  try {
    await pipeline(body, limit, file);
  } catch (error) {
    if (error instanceof MatrixError || isFault(error)) throw error;
    throw new MatrixError('M_UNKNOWN', 'The upload broke off');
  }
  return size;
}

const WRITING = new Set(['open', 'write', 'writev', 'fsync', 'close']);

/** Of the disk. All else comes from the client: a connection is lost when it is read. */
function isFault(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && WRITING.has(String(error.syscall));
}

/** Makes the entry of a new file in its folder last. Windows knows no such thing. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isFateUnknown(error: unknown): boolean {
  return error instanceof DatabaseError && error.kind === 'unavailable';
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
