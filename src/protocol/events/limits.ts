// Sizes that no event may exceed (Client-Server API, "Size limits"; event formats of the room versions).

import { MatrixError } from '../error.ts';
import { isStorableText } from '../json-checks.ts';

/** Bytes of the whole event in canonical JSON, signatures included, `unsigned` not. */
export const MAX_EVENT_BYTES = 65_536;
/** Bytes of `type`, `state_key` and of every identifier. */
export const MAX_KEY_BYTES = 255;
export const MAX_PREV_EVENTS = 20;
export const MAX_AUTH_EVENTS = 10;

/** Throws M_TOO_LARGE. */
export function checkEventSize(canonicalJson: string): void {
  // A UTF-16 unit takes at most three bytes.
  if (canonicalJson.length * 3 <= MAX_EVENT_BYTES) return;
  const bytes = Buffer.byteLength(canonicalJson);
  if (bytes > MAX_EVENT_BYTES) {
    throw new MatrixError('M_TOO_LARGE', `The event is larger than ${MAX_EVENT_BYTES} bytes`);
  }
}

/** Checks `type` or `state_key`, called `name`: throws M_TOO_LARGE, or M_BAD_JSON for text that cannot be kept. */
export function checkEventKey(name: string, text: string): void {
  if (text.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(text) > MAX_KEY_BYTES) {
    throw new MatrixError('M_TOO_LARGE', `${name} is longer than ${MAX_KEY_BYTES} bytes`);
  }
  if (!isStorableText(text)) {
    throw new MatrixError('M_BAD_JSON', `${name} must not contain NUL or lone surrogates`);
  }
}
