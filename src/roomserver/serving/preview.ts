// A room as it is, told once to a server that wants to show it to somebody: nothing follows from it.

import { MatrixError } from '../../protocol/error.ts';
import { STRIPPED_STATE_TYPES } from '../../protocol/events/stripped-state.ts';
import { isPeekable } from '../../protocol/visibility.ts';
import type { EventRecord } from '../event-record.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import type { ServingApi } from '../serving-api.ts';
import { accessOf, type ServingContext } from './access.ts';
import { Sight } from './sight.ts';
import { deepestFirst } from './walk.ts';

const MAX_MESSAGES = 50;

export async function queryPreviewFor(
  context: ServingContext,
  { limit, ...request }: Parameters<ServingApi['queryPreviewFor']>[0],
): ReturnType<ServingApi['queryPreviewFor']> {
  const access = await accessOf(context, request);
  const { head } = access;
  if (!isPeekable(head)) throw new MatrixError('M_FORBIDDEN', 'The room is not open to everybody');
  const recent = await deepestFirst(context, {
    access,
    start: head.extremities.map(({ eventId }) => eventId),
    limit: Math.min(limit, MAX_MESSAGES),
  });
  const sight = new Sight(context, { ...access, isMember: false });
  const seen: EventRecord[] = [];
  for (const record of recent) if (await sight.sees(record)) seen.push(record);
  return {
    roomVersion: head.roomVersion,
    state: (await description(context, head)).map(({ pdu }) => pdu.json),
    messages: seen.reverse().map(({ pdu }) => pdu.json),
  };
}

async function description(
  { states, events }: ServingContext,
  { roomId, currentState }: RoomHead,
): Promise<EventRecord[]> {
  const ofRoom = states.ofRoom(roomId);
  const found: EventRecord[] = [];
  for (const type of STRIPPED_STATE_TYPES) {
    const id = await ofRoom.get(currentState, type, '');
    const record = id && (await events.get(id));
    if (record) found.push(record);
  }
  return found;
}
