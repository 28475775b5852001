// Media on its way to a client: the headers that keep browsers from doing more with it than showing it
// (Client-Server API, "Content repository", "Serving inline content").

import { contentDisposition } from '../http/content-disposition.ts';
import { type Reply, reply } from '../http/reply.ts';
import type { MediaFile } from '../mediaserver/api.ts';

const POLICY =
  "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; " +
  "style-src 'unsafe-inline'; object-src 'self';";

/** `fileName` overrides that of the file. */
export function mediaReply(file: MediaFile, fileName: string | undefined = file.fileName): Reply {
  return reply({
    headers: {
      'content-type': file.contentType,
      'content-length': String(file.size),
      'content-disposition': contentDisposition(file.contentType, fileName),
      'content-security-policy': POLICY,
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      // A media id never gets other content.
      'cache-control': 'private, max-age=86400, immutable',
    },
    body: file.body,
  });
}
