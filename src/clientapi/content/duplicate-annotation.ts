// A user's second annotation of an event with the same type and key is refused (Client-Server API,
// "Avoiding duplicate annotations").

import { MatrixError } from '../../protocol/error.ts';
import { type EventId, isEventId } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import type { Viewer } from '../../syncserver/api.ts';
import type { ClientapiContext } from '../context.ts';
import type { EventContent } from './event-content.ts';

/** As many annotations of an event are looked through; whose is older than those may come twice. */
const MOST_ANNOTATIONS = 1000;

interface Annotation {
  readonly eventId: EventId;
  readonly key: JsonValue | undefined;
}

/** Throws M_DUPLICATE_ANNOTATION. */
export async function checkNotDuplicate(
  { roomserver, syncserver }: Pick<ClientapiContext, 'roomserver' | 'syncserver'>,
  viewer: Viewer,
  { roomId, type, content, transaction }: EventContent,
): Promise<void> {
  const annotation = annotationOf(content);
  if (annotation === undefined) return;
  // A retransmission is the first one again, not a second one.
  if (transaction !== undefined && (await roomserver.queryTransaction(transaction))) return;
  const { eventId, key } = annotation;
  const { chunk } = await syncserver
    .relations({
      viewer,
      roomId,
      eventId,
      relType: 'm.annotation',
      eventType: type,
      dir: 'b',
      limit: MOST_ANNOTATIONS,
      recurse: false,
    })
    .catch(ignoreUnseen);
  const others = Array.isArray(chunk) ? chunk.filter(isJsonObject) : [];
  if (others.some((other) => other.sender === viewer.userId && keyOf(other) === key)) {
    const message = 'You have annotated this event in this way already';
    throw new MatrixError('M_DUPLICATE_ANNOTATION', message);
  }
}

/** Whoever cannot see the event may still be told so, or not, by the rules for sending. */
function ignoreUnseen(error: unknown): JsonObject {
  if (error instanceof MatrixError) return {};
  throw error;
}

function annotationOf(content: JsonObject): Annotation | undefined {
  const relation = content['m.relates_to'];
  if (!isJsonObject(relation) || relation.rel_type !== 'm.annotation') return undefined;
  return isEventId(relation.event_id)
    ? { eventId: relation.event_id, key: relation.key }
    : undefined;
}

function keyOf(event: JsonObject): JsonValue | undefined {
  return isJsonObject(event.content) ? annotationOf(event.content)?.key : undefined;
}
