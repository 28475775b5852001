// Tokens: 256 random bits behind a prefix that tells people and secret scanners what they have found.
// Only their hashes are stored; the bits need no salt and no slow hash.

import { hash, randomBytes } from 'node:crypto';

const PREFIXES = {
  access: 'khat_',
  refresh: 'khrt_',
  login: 'khlt_',
  openId: 'khoi_',
} as const;

export type TokenKind = keyof typeof PREFIXES;

export interface NewToken {
  /** For the client, never stored. */
  readonly token: string;
  readonly hash: string;
}

export function createToken(kind: TokenKind): NewToken {
  const token = PREFIXES[kind] + randomBytes(32).toString('base64url');
  return { token, hash: hashOfToken(token) };
}

export function hashOfToken(token: string): string {
  return hash('sha256', token, 'base64url');
}
