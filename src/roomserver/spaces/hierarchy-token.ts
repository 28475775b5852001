// Pagination tokens of hierarchies: how many rooms have been shown, of which walk.

import { MatrixError } from '../../protocol/error.ts';

export interface HierarchyToken {
  readonly shown: number;
  readonly suggestedOnly: boolean;
  readonly maxDepth: number;
}

const TOKEN = /^([0-9]{1,6}),([01]),([0-9]{1,6})$/;

export function encodeHierarchyToken({ shown, suggestedOnly, maxDepth }: HierarchyToken): string {
  return Buffer.from(`${shown},${suggestedOnly ? 1 : 0},${maxDepth}`).toString('base64url');
}

/** How many rooms have been shown. Throws M_INVALID_PARAM, also where it is of another walk. */
export function readHierarchyToken(
  token: string | undefined,
  walk: Omit<HierarchyToken, 'shown'>,
): number {
  if (token === undefined) return 0;
  const [, shown, suggested, depth] = TOKEN.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  if (shown === undefined) {
    throw new MatrixError('M_INVALID_PARAM', 'Not a pagination token of this list');
  }
  if ((suggested === '1') !== walk.suggestedOnly || Number(depth) !== walk.maxDepth) {
    const message = 'suggested_only and max_depth cannot change on paginated requests';
    throw new MatrixError('M_INVALID_PARAM', message);
  }
  return Number(shown);
}
