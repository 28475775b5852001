// Events of our own that another server has signed, too.

import { encodeCanonicalJson } from '../../protocol/canonical-json.ts';
import { Pdu } from '../../protocol/events/pdu.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import type { RoomserverContext } from '../context.ts';
import { checkEvent } from '../input/check-event.ts';
import { type CheckedEvent, isDropped } from '../input/checked-event.ts';
import { BadAnswer } from './bad-answer.ts';

/** Our event with the signatures that the other server's copy of it carries. Throws BadAnswer for another event. */
export function withSignaturesOf(
  pdu: Pdu,
  copy: JsonObject | undefined,
  rules: RoomVersionRules,
): Pdu {
  if (copy === undefined) return pdu;
  const textOf = (json: JsonObject) =>
    encodeCanonicalJson(
      { ...json, unsigned: undefined, signatures: undefined },
      { strict: rules.strictCanonicalJson },
    );
  if (textOf(copy) !== textOf(pdu.json)) throw new BadAnswer('the event has been changed');
  const theirs = signaturesIn(copy.signatures);
  const ours = signaturesIn(pdu.json.signatures);
  const { eventId, roomVersion, json } = pdu;
  return Pdu.from({ eventId, roomVersion, json: { ...json, signatures: merged(theirs, ours) } });
}

/** By server and key; of two of the same key the second. */
function merged(theirs: JsonObject, ours: JsonObject): JsonObject {
  const servers = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
  return Object.fromEntries(
    [...servers].map((server) => [
      server,
      { ...signaturesIn(theirs[server]), ...signaturesIn(ours[server]) },
    ]),
  );
}

function signaturesIn(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** With the signatures of others as far as they are valid. Throws BadAnswer. */
export async function checkOwnEvent(
  { keyRing }: Pick<RoomserverContext, 'keyRing'>,
  { json }: Pdu,
  room: { readonly roomId: RoomId; readonly rules: RoomVersionRules },
): Promise<CheckedEvent> {
  const checked = await checkEvent(json, { ...room, keyRing });
  if (isDropped(checked)) throw new BadAnswer(`${checked.rule}: ${checked.reason}`);
  return checked;
}
