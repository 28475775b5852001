// A policy server that says what a test wants, in the place of the client of other servers.

import type { FederationRequest } from '../../src/federation/api.ts';
import { FederationError } from '../../src/federation/federation-error.ts';
import type { Pdu, PduJson } from '../../src/protocol/events/pdu.ts';
import type { EventId, ServerName } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { isSignedByPolicyServer, POLICY_SERVER_KEY_ID } from '../../src/protocol/policy-server.ts';
import { rulesOf } from '../../src/protocol/roomversions/table.ts';
import { signPdu } from '../../src/protocol/signing.ts';
import { generateSigningKey, type SigningKey } from '../../src/protocol/signing-key.ts';
import type { Scene } from './scene.ts';

/** What it does with an event: its answer, or what it fails with. */
export type Policy = (event: PduJson) => JsonObject | Error | Promise<JsonObject | Error>;

export class ScriptedPolicyServer {
  readonly name: ServerName;
  readonly key: SigningKey = { ...generateSigningKey(), keyId: POLICY_SERVER_KEY_ID };
  /** Types of what it was asked to sign. */
  readonly asked: string[] = [];
  policy: Policy = (event) => this.signature(event);

  constructor(name: ServerName) {
    this.name = name;
  }

  /** m.room.policy that names it. */
  get content(): JsonObject {
    return { via: this.name, public_keys: { ed25519: this.key.publicKey } };
  }

  signature(event: PduJson, key = this.key): JsonObject {
    const { signatures: _, ...rest } = event;
    const by = { serverName: this.name, key };
    return signPdu(rest as PduJson, rulesOf('11'), by).signatures as JsonObject;
  }

  hasSigned(pdu: Pdu): boolean {
    return isSignedByPolicyServer(pdu, { name: this.name, publicKey: this.key.publicKey });
  }

  refuse(errcode: string, error: string, more: JsonObject = {}): Error {
    const answer = { errcode, error, ...more };
    const status = errcode === 'M_LIMIT_EXCEEDED' ? 429 : 400;
    const retryAfterMs = more.retry_after_ms as number | undefined;
    const details = { message: error, status, errcode, answer };
    return new FederationError('refused', this.name, {
      ...details,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }

  silence(): Error {
    return new FederationError('unreachable', this.name, { message: 'no answer' });
  }

  readonly request = async ({ destination, path, body }: FederationRequest) => {
    const isAsked = destination === this.name && path === '/_matrix/policy/v1/sign';
    if (!isAsked) throw new FederationError('unreachable', destination, { message: 'nobody' });
    this.asked.push((body as PduJson).type);
    const answer = await this.policy(body as PduJson);
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

export function isSigned(pdu: Pick<Pdu, 'json'> | undefined, { name }: ScriptedPolicyServer) {
  return (pdu?.json.signatures?.[name] as JsonObject)?.[POLICY_SERVER_KEY_ID] !== undefined;
}

export async function storedEvent({ context }: Scene, eventId: EventId) {
  const record = await context.events.get(eventId);
  return { standing: record?.standing, reason: record?.reason, pdu: record?.pdu };
}
