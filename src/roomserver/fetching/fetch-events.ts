// Single events by their ids, some at a time.

import { federationPath } from '../../federation/federation-path.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { EventId, ServerName } from '../../protocol/identifiers.ts';
import { mapInParallel } from '../input/in-parallel.ts';
import type { Asker, Deadline } from './asker.ts';
import { givenPdus, type OfRoom } from './given-pdus.ts';

const AT_ONCE = 8;
const MAX_BYTES = 256 * 1024;

interface EventsQuestion {
  readonly server: ServerName;
  readonly ids: readonly EventId[];
  readonly room: OfRoom;
  readonly deadline: Deadline;
}

/** Those that the server has. */
export async function fetchEvents(
  asker: Asker,
  question: EventsQuestion,
): Promise<Map<EventId, Pdu>> {
  return (await attemptEvents(asker, question)).events;
}

/** As `fetchEvents`; and whether the server has said of all others that it does not have them. */
export async function attemptEvents(
  asker: Asker,
  { server, ids, room, deadline }: EventsQuestion,
): Promise<{ readonly events: Map<EventId, Pdu>; readonly isHeard: boolean }> {
  let isSilent = false;
  let isHeard = true;
  const found = await mapInParallel(ids, AT_ONCE, async (id) => {
    // One that does not answer is not asked for all the others, too.
    if (isSilent) return undefined;
    const path = federationPath`/_matrix/federation/v1/event/${id}`;
    const question = { method: 'GET', path, maxBytes: MAX_BYTES } as const;
    const { answer, isRefused } = await asker.attempt(server, question, deadline);
    if (answer === undefined) {
      isSilent = asker.isPassedOver(server);
      isHeard &&= isRefused;
      return undefined;
    }
    return (await givenPdus(answer.pdus, room, 1)).get(id);
  });
  const given = found.flatMap((pdu) => (pdu === undefined ? [] : [pdu]));
  return { events: new Map(given.map((pdu) => [pdu.eventId, pdu])), isHeard };
}
