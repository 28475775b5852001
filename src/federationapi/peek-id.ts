// Ids of peeks in paths (MSC2444). The MSC allows 1 to 8 characters; servers that exist send longer ones, so that
// anything is taken that a table can keep.

import type { Parameter } from '../http/parameters.ts';
import { Type } from '../json-schema.ts';
import { MatrixError } from '../protocol/error.ts';

const MAX_BYTES = 255;

export function peekId(): Parameter<string> {
  return { schema: Type.String(), read: (_name, [id = '']) => parsePeekId(id) };
}

/** Throws M_UNRECOGNIZED. */
function parsePeekId(text: string): string {
  const isPrintable = [...text].every((character) => !/\p{C}/u.test(character));
  if (text === '' || Buffer.byteLength(text) > MAX_BYTES || !isPrintable) {
    throw new MatrixError('M_UNRECOGNIZED', 'Not a valid peek ID');
  }
  return text;
}
