// Files that nothing refers to: a crash, or a COMMIT that failed, came between the file and its row.

import type { Database } from '../database/database.ts';
import type { Logger } from '../logger.ts';
import type { MediaFolder } from './media-folder.ts';
import { selectUsedFiles } from './store/media.ts';

/** Removes them; stops early when `signal` aborts. */
export async function removeOrphans(parts: {
  readonly folder: MediaFolder;
  readonly database: Database;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { folder, database, logger, signal } = parts;
  let removed = 0;
  for await (const fileIds of folder.list()) {
    if (signal.aborted) return;
    if (fileIds.length === 0) continue;
    const used = await selectUsedFiles(database, fileIds);
    for (const fileId of fileIds) {
      if (used.has(fileId)) continue;
      await folder.remove(fileId);
      removed += 1;
    }
  }
  if (removed > 0) logger.info({ removed }, 'removed media files that nothing refers to');
}
