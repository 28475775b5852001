// A mediaserver on a database and a folder of its own, for tests.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Backend, forEachBackend } from '../../test/contracts/backends.ts';
import { ManualClock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { silentLogger } from '../logger.ts';
import { parseMxcUri, type ServerName, type UserId } from '../protocol/identifiers.ts';
import type { MediaFile, MediaserverApi } from './api.ts';
import type { MediaserverConfig, RemoteSource } from './context.ts';
import { createMediaserver } from './mediaserver.ts';
import type { MediaKey } from './store/media.ts';

export { forEachBackend };

export const SERVER = 'test.example' as ServerName;
export const ALICE = '@alice:test.example' as UserId;
export const BOB = '@bob:test.example' as UserId;
export const MAX_BYTES = 1_000_000;

export interface Harness {
  readonly api: MediaserverApi;
  readonly database: Database;
  readonly clock: ManualClock;
  readonly mediaPath: string;
  /** Uploads as Alice. */
  upload(content: Uint8Array | string, contentType?: string): Promise<MediaKey>;
  download(key: MediaKey): Promise<ReadFile>;
  /** All files below the media folder. */
  files(): Promise<string[]>;
  /** Closes the mediaserver and opens it again on the same database and folder. */
  restart(): Promise<Harness>;
}

export interface HarnessOptions {
  readonly config?: Partial<MediaserverConfig>;
  readonly federation?: RemoteSource;
  readonly beforeCommit?: () => Promise<void>;
  readonly clock?: ManualClock;
  readonly mediaPath?: string;
}

export async function openHarness(
  backend: Backend,
  options: HarnessOptions = {},
): Promise<Harness> {
  const { clock = new ManualClock(), beforeCommit, federation } = options;
  const mediaPath = options.mediaPath ?? (await temporaryFolder(backend));
  const database = await backend.open(beforeCommit && { beforeCommit });
  const limits = { maxUploadBytes: MAX_BYTES, maxRemoteBytes: 1e9 };
  const config = { mediaPath, ...limits, ...options.config };
  const { api, close } = await createMediaserver({
    ...{ database, clock, logger: silentLogger, serverName: SERVER, config },
    ...(federation && { federation }),
  });
  backend.closeFirst(close);
  return {
    api,
    database,
    clock,
    mediaPath,
    upload: async (content, contentType = 'application/octet-stream') => {
      const body = Readable.from([Buffer.from(content)]);
      const { contentUri } = await api.performUpload({ userId: ALICE, contentType, body });
      return keyOf(contentUri);
    },
    download: async (key) =>
      readAll(await api.queryMedia({ ...key, timeoutMs: 0, allowRemote: true })),
    files: async () => {
      const found = await readdir(mediaPath, { recursive: true, withFileTypes: true });
      return found.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
    restart: async () => {
      await close();
      await database.close();
      return openHarness(backend, { ...options, clock, mediaPath });
    },
  };
}

async function temporaryFolder(backend: Backend): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'keyhole-media-'));
  backend.closeFirst(() => rm(path, { recursive: true }));
  return path;
}

export function keyOf(uri: string): MediaKey {
  const key = parseMxcUri(uri);
  if (key === undefined) throw new Error(`${uri} is no mxc:// URI`);
  return key;
}

export type ReadFile = Omit<MediaFile, 'body'> & { readonly content: Buffer };

export async function readAll({ body, ...description }: MediaFile): Promise<ReadFile> {
  return { ...description, content: await buffer(body) };
}

/** For `assert.rejects`. */
export function refusal(errcode: string): { readonly name: string; readonly errcode: string } {
  return { name: 'MatrixError', errcode };
}
