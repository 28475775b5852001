// Media on its way to a client: the headers that keep browsers from doing more with it than showing it
// (Client-Server API, "Content repository", "Serving inline content").

import { type Reply, reply } from '../http/reply.ts';
import type { MediaFile } from '../mediaserver/api.ts';

const INLINE_TYPES = new Set([
  'text/css',
  'text/plain',
  'text/csv',
  'application/json',
  'application/ld+json',
  'image/jpeg',
  'image/gif',
  'image/png',
  'image/apng',
  'image/webp',
  'image/avif',
  'video/mp4',
  'video/webm',
  'video/ogg',
  'video/quicktime',
  'audio/mp4',
  'audio/webm',
  'audio/aac',
  'audio/mpeg',
  'audio/ogg',
  'audio/wave',
  'audio/wav',
  'audio/x-wav',
  'audio/x-pn-wav',
  'audio/flac',
  'audio/x-flac',
]);

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

/** The file name goes along as ASCII for old browsers, and exactly, as RFC 6266 has it, where that differs. */
export function contentDisposition(contentType: string, fileName: string | undefined): string {
  const [essence = ''] = contentType.split(';');
  const kind = INLINE_TYPES.has(essence.trim().toLowerCase()) ? 'inline' : 'attachment';
  if (fileName === undefined || fileName === '') return kind;
  if (/^[\w!#$&+.^`|~-]+$/.test(fileName)) return `${kind}; filename=${fileName}`;
  if (/^[\x20-\x7e]+$/.test(fileName)) return `${kind}; filename="${escapeQuoted(fileName)}"`;
  return `${kind}; filename*=utf-8''${encodeExtended(fileName)}`;
}

function escapeQuoted(text: string): string {
  return text.replaceAll(/["\\]/g, (char) => `\\${char}`);
}

/** RFC 5987, `ext-value`; lone surrogates, which have no UTF-8, become U+FFFD. */
function encodeExtended(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
