// The Content-Disposition of media: what a browser may show by itself, and under which name it is kept
// (Client-Server API, "Content repository", "Serving inline content").

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
