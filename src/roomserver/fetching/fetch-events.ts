// Single events by their ids, some at a time.

import { federationPath } from '../../federation/federation-path.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { EventId, ServerName } from '../../protocol/identifiers.ts';
import { mapInParallel } from '../input/in-parallel.ts';
import type { Asker, Deadline } from './asker.ts';
import { givenPdus, type OfRoom } from './given-pdus.ts';

const AT_ONCE = 8;
const MAX_BYTES = 256 * 1024;

/** Those that the server has. */
export async function fetchEvents(
  asker: Asker,
  {
    server,
    ids,
    room,
    deadline,
  }: {
    readonly server: ServerName;
    readonly ids: readonly EventId[];
    readonly room: OfRoom;
    readonly deadline: Deadline;
  },
): Promise<Map<EventId, Pdu>> {
  let isSilent = false;
  const found = await mapInParallel(ids, AT_ONCE, async (id) => {
    // One that does not answer is not asked for all the others, too.
    if (isSilent) return undefined;
    const path = federationPath`/_matrix/federation/v1/event/${id}`;
    const question = { method: 'GET', path, maxBytes: MAX_BYTES } as const;
    const answer = await asker.ask(server, question, deadline);
    if (answer === undefined) {
      isSilent = asker.isPassedOver(server);
      return undefined;
    }
    return (await givenPdus(answer.pdus, room, 1)).get(id);
  });
  return new Map(found.flatMap((pdu) => (pdu === undefined ? [] : [[pdu.eventId, pdu]])));
}
