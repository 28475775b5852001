// Keys as clients make them, signed for real: devices, one-time keys, cross-signing.

import type { UserId } from '../src/protocol/identifiers.ts';
import type { JsonObject } from '../src/protocol/json.ts';
import { signJson } from '../src/protocol/signing.ts';
import { generateSigningKey, type SigningKey } from '../src/protocol/signing-key.ts';

/** A key pair that signs under a name of its own. */
export interface Signer {
  readonly key: SigningKey;
  readonly keyId: string;
  readonly publicKey: string;
  /** A copy that this one has signed too. */
  sign(object: JsonObject): JsonObject;
}

function signer(userId: string, nameOf: (publicKey: string) => string): Signer {
  const generated = generateSigningKey();
  const keyId = `ed25519:${nameOf(generated.publicKey)}`;
  const key = { ...generated, keyId };
  // The entity that signs is a user here, not a server.
  const sign = (object: JsonObject) => signJson(object, userId as never, key);
  return { key, keyId, publicKey: generated.publicKey, sign };
}

export interface DeviceMaker extends Signer {
  readonly deviceKeys: JsonObject;
  /** `signed_curve25519`, by name. */
  oneTimeKey(id: string): JsonObject;
}

export function makeDevice(userId: UserId | string, deviceId: string): DeviceMaker {
  const own = signer(userId, () => deviceId);
  const curve = generateSigningKey().publicKey;
  const deviceKeys = own.sign({
    user_id: userId,
    device_id: deviceId,
    algorithms: ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'],
    keys: { [`curve25519:${deviceId}`]: curve, [`ed25519:${deviceId}`]: own.publicKey },
  });
  return {
    ...own,
    deviceKeys,
    oneTimeKey: (id) => ({
      [`signed_curve25519:${id}`]: own.sign({ key: generateSigningKey().publicKey }),
    }),
  };
}

export interface CrossSigningMaker {
  readonly master: Signer & { readonly json: JsonObject };
  readonly selfSigning: Signer & { readonly json: JsonObject };
  readonly userSigning: Signer & { readonly json: JsonObject };
  /** Body of `POST /keys/device_signing/upload`. */
  readonly body: {
    readonly master_key: JsonObject;
    readonly self_signing_key: JsonObject;
    readonly user_signing_key: JsonObject;
  };
}

export function makeCrossSigning(userId: UserId | string): CrossSigningMaker {
  const make = (usage: string, signedBy?: Signer) => {
    const own = signer(userId, (publicKey) => publicKey);
    const json = { user_id: userId, usage: [usage], keys: { [own.keyId]: own.publicKey } };
    return { ...own, json: signedBy === undefined ? json : signedBy.sign(json) };
  };
  const master = make('master');
  const selfSigning = make('self_signing', master);
  const userSigning = make('user_signing', master);
  return {
    master,
    selfSigning,
    userSigning,
    body: {
      master_key: master.json,
      self_signing_key: selfSigning.json,
      user_signing_key: userSigning.json,
    },
  };
}
