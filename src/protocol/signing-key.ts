// The server's own signing key, and the text that it is kept as: `ed25519 <version> <seed in base64>`,
// one line, as other homeservers write it.

import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { randomOpaqueId } from './opaque-ids.ts';

export interface SigningKey {
  /** `ed25519:version`. */
  readonly keyId: string;
  readonly privateKey: KeyObject;
  /** 32 bytes in unpadded base64, as published. */
  readonly publicKey: string;
  /** The line for the key file, without line break. Secret. */
  readonly fileText: string;
}

const LINE = /^ed25519 ([A-Za-z0-9_]+) (\S+)$/;

export function generateSigningKey(): SigningKey {
  return signingKeyOf(`a_${randomOpaqueId(4)}`, randomBytes(32));
}

/** The first key of a key file. Throws an Error that says what is wrong, without the key itself. */
export function parseSigningKey(text: string): SigningKey {
  const line = text.split(/\r?\n/).find((candidate) => candidate.trim() !== '');
  const [, version, base64] = LINE.exec(line?.trim() ?? '') ?? [];
  if (version === undefined) {
    throw new Error('a signing key is a line of the form "ed25519 a_abcd <seed in base64>"');
  }
  const seed = decodeBase64(base64);
  if (seed?.length !== 32) throw new Error('the seed of a signing key is 32 bytes in base64');
  return signingKeyOf(version, seed);
}

function signingKeyOf(version: string, seed: Uint8Array): SigningKey {
  const key = Buffer.from(seed);
  const privateKey = createPrivateKey({ key, format: 'raw-private', asymmetricKeyType: 'ed25519' });
  const publicBytes = createPublicKey(privateKey).export({ format: 'raw-public' });
  return {
    keyId: `ed25519:${version}`,
    privateKey,
    publicKey: encodeBase64(publicBytes),
    fileText: `ed25519 ${version} ${encodeBase64(seed)}`,
  };
}
