// What uploads have in common.

import { optional, type Parameter, parsed } from '../http/parameters.ts';
import { Type } from '../json-schema.ts';
import { withoutUndefined } from './without-undefined.ts';

const LONGEST_FILE_NAME = 1024;

export function fileName(): Parameter<string | undefined> {
  return optional(
    parsed(
      (raw) => (raw.length <= LONGEST_FILE_NAME ? raw : undefined),
      Type.String({ maxLength: LONGEST_FILE_NAME }),
    ),
  );
}

export function describedFile(
  contentType: string | undefined,
  fileName: string | undefined,
): { contentType: string; fileName?: string } {
  return withoutUndefined({
    contentType: contentType || 'application/octet-stream',
    fileName: fileName || undefined,
  });
}
