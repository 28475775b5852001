// The EDUs of a transaction, in order. One that is malformed or forged is ignored, and the others are not.

import { MatrixError } from '../../protocol/error.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { isStorableJson } from '../../protocol/json-checks.ts';
import type { FederationapiContext } from '../context.ts';
import { receiveDeviceListUpdate, receiveSigningKeyUpdate } from './device-lists.ts';
import { receiveDirectToDevice } from './direct-to-device.ts';
import type { EduHandler } from './edu.ts';
import { receivePresence } from './presence.ts';
import { receiveReceipts } from './receipts.ts';
import { receiveTyping } from './typing.ts';

const HANDLERS: ReadonlyMap<string, EduHandler> = new Map<string, EduHandler>([
  ['m.typing', receiveTyping],
  ['m.receipt', receiveReceipts],
  ['m.presence', receivePresence],
  ['m.direct_to_device', receiveDirectToDevice],
  ['m.device_list_update', receiveDeviceListUpdate],
  ['m.signing_key_update', receiveSigningKeyUpdate],
]);

/** Of one user's devices, in one transaction: of more the last is taken, whose gap makes the list be asked for as a whole. */
const MAX_CHANGES = 5;

export interface Edu {
  readonly edu_type: string;
  readonly content: JsonObject;
}

export async function receiveEdus(
  context: FederationapiContext,
  origin: ServerName,
  edus: readonly Edu[],
): Promise<void> {
  const isOfDevices = ({ edu_type: type }: Edu) => type === 'm.device_list_update';
  const ofUsers = Map.groupBy(edus.filter(isOfDevices), ({ content }) => content.user_id);
  // In order for each user; those of many users share a COMMIT.
  await Promise.all(
    Array.from(ofUsers.values(), (some) =>
      receiveInOrder(context, origin, some.slice(some.length > MAX_CHANGES ? -1 : 0)),
    ),
  );
  await receiveInOrder(
    context,
    origin,
    edus.filter((edu) => !isOfDevices(edu)),
  );
}

async function receiveInOrder(
  context: FederationapiContext,
  origin: ServerName,
  edus: readonly Edu[],
): Promise<void> {
  for (const edu of edus) {
    try {
      await receiveEdu(context, origin, edu);
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      const { edu_type: type } = edu;
      context.logger.debug({ origin, type, reason: error.message }, 'an EDU was ignored');
    }
  }
}

async function receiveEdu(
  context: FederationapiContext,
  origin: ServerName,
  { edu_type: type, content }: Edu,
): Promise<void> {
  const handler = HANDLERS.get(type);
  if (handler === undefined) return;
  if (!isStorableJson(content))
    throw new MatrixError('M_BAD_JSON', 'It has text that cannot be kept');
  await handler(context, { origin, content });
}
