// The rule of m.room.redaction, in the room versions that have one (1 and 2). Later ones check a redaction
// when it is applied ("Handling redactions").

import { serverNameOfEventId } from '../identifiers.ts';
import { type AuthCheck, rejectBy } from './auth-check.ts';
import { ALLOWED, type Verdict } from './verdict.ts';

export function authorizeRedaction({ event, room, rules }: AuthCheck): Verdict {
  if (room.levels.levelOf(event.sender) >= room.levels.redact) return ALLOWED;
  const server = serverNameOfEventId(event.eventId);
  const { redacts } = event;
  return server !== undefined && redacts !== undefined && serverNameOfEventId(redacts) === server
    ? ALLOWED
    : rejectBy(rules, 'redaction.otherwise', "the sender may not redact another server's event");
}
