// Ed25519 keys, signed JSON, and the header that signs requests.

import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { canonical, type Json, unpadded, without } from './json.ts';

export interface PeerKey {
  readonly id: string;
  readonly secret: KeyObject;
  /** Unpadded base64. */
  readonly public: string;
}

export function newKey(): PeerKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return {
    id: 'ed25519:peer',
    secret: privateKey,
    public: unpadded(Buffer.from(x, 'base64url')),
  };
}

export function signText(text: string, key: PeerKey): string {
  return unpadded(sign(null, Buffer.from(text), key.secret));
}

/** `publicKey`: base64. */
export function isSignature(text: string, signature: unknown, publicKey: string): boolean {
  if (typeof signature !== 'string') return false;
  const x = Buffer.from(publicKey, 'base64').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'));
}

export function signedJson(object: Json, entity: string, key: PeerKey): Json {
  const signature = signText(canonical(without(object, 'signatures', 'unsigned')), key);
  const { signatures = {} } = object;
  const own = { ...signatures[entity], [key.id]: signature };
  return { ...object, signatures: { ...signatures, [entity]: own } };
}

export interface SignedRequest {
  readonly origin: string;
  readonly destination: string;
  readonly method: string;
  /** With the query, as sent. */
  readonly uri: string;
  readonly content?: Json;
}

export function authorizationOf(request: SignedRequest, key: PeerKey): string {
  const { origin, destination } = request;
  const fields = { origin, destination, key: key.id, sig: signText(canonical(request), key) };
  return `X-Matrix ${Object.entries(fields)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}`;
}

/** The fields of an `X-Matrix` header. */
export function fieldsOf(authorization = ''): Record<string, string> {
  const fields = authorization.replace(/^X-Matrix\s+/, '').matchAll(/(\w+)=(?:"([^"]*)"|([^,]*))/g);
  return Object.fromEntries([...fields].map(([, name, quoted, plain]) => [name, quoted ?? plain]));
}
