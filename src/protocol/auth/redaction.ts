// Redactions: the rule of m.room.redaction where there is one (room versions 1 and 2), and the check before
// a redaction is applied in later ones ("Handling redactions").

import type { Pdu } from '../events/pdu.ts';
import { serverNameOf, serverNameOfEventId } from '../identifiers.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';
import { type AuthCheck, rejectBy } from './auth-check.ts';
import type { PowerLevels } from './power-levels.ts';
import { ALLOWED, type Verdict } from './verdict.ts';

export function authorizeRedaction({ event, room, rules }: AuthCheck): Verdict {
  if (room.levels.levelOf(event.sender) >= room.levels.redact) return ALLOWED;
  const server = serverNameOfEventId(event.eventId);
  const { redacts } = event;
  return server !== undefined && redacts !== undefined && serverNameOfEventId(redacts) === server
    ? ALLOWED
    : rejectBy(rules, 'redaction.otherwise', "the sender may not redact another server's event");
}

export interface Redaction {
  /** An accepted m.room.redaction. */
  readonly redaction: Pdu;
  /** The event that it names. */
  readonly original: Pdu;
  /** At the redaction. */
  readonly levels: PowerLevels;
}

/** Whether an accepted redaction is to be applied to its event. */
export function isRedactionApplicable(
  { redaction, original, levels }: Redaction,
  rules: RoomVersionRules,
): boolean {
  if (redaction.roomId !== original.roomId) return false;
  if (!rules.redactionsCheckedOnApplication) return true;
  if (levels.levelOf(redaction.sender) >= levels.redact) return true;
  return serverNameOf(redaction.sender) === serverNameOf(original.sender);
}
