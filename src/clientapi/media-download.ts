// Download and thumbnail, behind the authenticated paths and the frozen ones.

import { boolean, integer, oneOf, type ParameterValues, withDefault } from '../http/parameters.ts';
import type { Reply } from '../http/reply.ts';
import { MatrixError } from '../protocol/error.ts';
import type { MediaId, ServerName } from '../protocol/identifiers.ts';
import type { ClientapiContext } from './context.ts';
import { mediaReply } from './media-reply.ts';

/** ms: as long as media that is being uploaded is waited for. */
const DEFAULT_WAIT = 20_000;
const LONGEST_WAIT = 60_000;

/** Nothing beyond it is made, whatever is asked for. */
const LARGEST_SIDE = 10_000;

export const downloadQuery = { timeout_ms: withDefault(integer({ minimum: 0 }), DEFAULT_WAIT) };

/** Of the frozen paths; redirects are never answered, so that `allow_redirect` needs no reader. */
export const remoteQuery = { allow_remote: withDefault(boolean(), true) };

export const thumbnailQuery = {
  ...downloadQuery,
  width: integer({ minimum: 1, maximum: LARGEST_SIDE }),
  height: integer({ minimum: 1, maximum: LARGEST_SIDE }),
  method: withDefault(oneOf('crop', 'scale'), 'scale'),
  animated: withDefault(boolean(), false),
};

interface MediaPath {
  readonly serverName: ServerName;
  readonly mediaId: MediaId;
  readonly fileName?: string;
}

type DownloadQuery = ParameterValues<typeof downloadQuery> & {
  readonly allow_remote?: boolean;
};

type ThumbnailQuery = DownloadQuery & ParameterValues<typeof thumbnailQuery>;

export async function download(
  { mediaserver }: ClientapiContext,
  { serverName, mediaId, fileName }: MediaPath,
  { timeout_ms, allow_remote: allowRemote = true }: DownloadQuery,
): Promise<Reply> {
  const timeoutMs = Math.min(timeout_ms, LONGEST_WAIT);
  const media = { serverName, mediaId, timeoutMs, allowRemote };
  return mediaReply(await mediaserver.queryMedia(media), fileName);
}

export async function thumbnail(
  { mediaserver }: ClientapiContext,
  { serverName, mediaId }: MediaPath,
  { timeout_ms, allow_remote: allowRemote = true, ...size }: ThumbnailQuery,
): Promise<Reply> {
  const timeoutMs = Math.min(timeout_ms, LONGEST_WAIT);
  const media = { serverName, mediaId, timeoutMs, allowRemote };
  return mediaReply(await mediaserver.queryThumbnail({ ...media, ...size }));
}

/** The paths without authentication are frozen: throws M_NOT_FOUND unless the configuration opens them. */
export function checkNotFrozen({ config }: ClientapiContext): void {
  if (!config.unauthenticatedMedia) {
    throw new MatrixError('M_NOT_FOUND', 'Media is served to signed-in clients only');
  }
}
