// A key ring in a world of servers that answer as a test says.

import type { KeyObject } from 'node:crypto';
import type { Backend } from '../../../test/contracts/backends.ts';
import { ManualClock } from '../../clock.ts';
import { silentLogger } from '../../logger.ts';
import { encodeBase64 } from '../../protocol/base64.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { signJson } from '../../protocol/signing.ts';
import { generateSigningKey, type SigningKey } from '../../protocol/signing-key.ts';
import type { FederationRequest, KeyRing } from '../api.ts';
import { FederationError } from '../federation-error.ts';
import { createKeyRing } from '../key-ring.ts';
import { HERE, HERE_KEY } from '../testing.ts';

export const THERE = 'there.example' as ServerName;
export const NOTARY = 'notary.example' as ServerName;
/** That HERE has given up. */
export const OLD_KEY = {
  keyId: 'ed25519:old',
  publicKey: generateSigningKey().publicKey,
  expiredTs: 1_000,
};
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export interface Published {
  readonly server?: ServerName;
  readonly inUse: readonly SigningKey[];
  readonly old?: readonly { readonly key: SigningKey; readonly expiredTs: number }[];
  readonly validUntil: number;
}

export function published({ server = THERE, inUse, old = [], validUntil }: Published): JsonObject {
  const json = {
    server_name: server,
    verify_keys: Object.fromEntries(inUse.map((key) => [key.keyId, { key: key.publicKey }])),
    old_verify_keys: Object.fromEntries(
      old.map(({ key, expiredTs }) => [key.keyId, { key: key.publicKey, expired_ts: expiredTs }]),
    ),
    valid_until_ts: validUntil,
  };
  return inUse.reduce<JsonObject>((signed, key) => signJson(signed, server, key), json);
}

type Answer = (request: FederationRequest) => JsonObject | Promise<JsonObject>;

export interface World {
  readonly clock: ManualClock;
  readonly asked: FederationRequest[];
  readonly ring: KeyRing;
  /** What servers answer; those that have no answer are unreachable. */
  readonly answers: Map<ServerName, Answer>;
  /** A ring with an empty memory on the same database. */
  restart(): Promise<KeyRing>;
}

export async function openWorld(backend: Backend): Promise<World> {
  const clock = new ManualClock();
  const asked: FederationRequest[] = [];
  const answers = new Map<ServerName, Answer>();
  const client = {
    request: async (request: FederationRequest) => {
      asked.push(request);
      const answer = answers.get(request.destination);
      if (answer !== undefined) return answer(request);
      throw new FederationError('unreachable', request.destination, { message: 'not there' });
    },
  };
  const database = await backend.open();
  const restart = () =>
    createKeyRing({
      ...{ client, database, clock, logger: silentLogger },
      ...{ serverName: HERE, signingKey: HERE_KEY, oldVerifyKeys: [OLD_KEY] },
    });
  return { clock, asked, answers, ring: await restart(), restart };
}

export const text = (key: KeyObject | undefined) =>
  key === undefined ? undefined : encodeBase64(key.export({ format: 'raw-public' }));
