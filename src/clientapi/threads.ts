// Which thread an event is in (Client-Server API, "Threaded read receipts").

import { MatrixError } from '../protocol/error.ts';
import { Pdu } from '../protocol/events/pdu.ts';
import { type EventId, isEventId } from '../protocol/identifiers.ts';
import { isJsonObject, type JsonObject } from '../protocol/json.ts';
import type { RoomserverApi } from '../roomserver/api.ts';

interface Events {
  readonly roomserver: Pick<RoomserverApi, 'queryEvents'>;
}

/** As many relations are followed from an event towards its thread; more is not recommended. */
const MAX_HOPS = 3;

/** `threadId`: `main` or the id of a thread's root, which is in its own thread and in the main timeline. Throws M_INVALID_PARAM. */
export async function checkIsInThread(
  context: Events,
  event: Pdu,
  threadId: string,
): Promise<void> {
  if (event.eventId === threadId) return;
  const root = await threadRootOf(context, event);
  if ((root ?? 'main') !== threadId) {
    throw new MatrixError('M_INVALID_PARAM', 'The event is not related to the thread');
  }
}

/** Undefined in the main timeline. */
async function threadRootOf(context: Events, event: Pdu): Promise<EventId | undefined> {
  let current: Pdu | undefined = event;
  for (let hop = 0; hop <= MAX_HOPS && current !== undefined; hop++) {
    const { rel_type: relation, event_id: parent } = relatesTo(current);
    if (!isEventId(parent)) return undefined;
    if (relation === 'm.thread') return parent;
    current = await findEvent(context, parent);
  }
  return undefined;
}

function relatesTo(event: Pdu): JsonObject {
  const relation = event.content['m.relates_to'];
  return isJsonObject(relation) ? relation : {};
}

async function findEvent({ roomserver }: Events, eventId: EventId): Promise<Pdu | undefined> {
  const [stored] = await roomserver.queryEvents({ eventIds: [eventId] });
  return stored === undefined ? undefined : Pdu.from(stored);
}
