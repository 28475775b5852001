// Another server looks into a room of ours: what is checked, the cut in the log, and the snapshot before it.

import { MatrixError } from '../../protocol/error.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import { isPeekable } from '../../protocol/visibility.ts';
import type { RoomserverContext } from '../context.ts';
import type { InboundPeekApi } from '../inbound-peek-api.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { peekSnapshot } from './peek-snapshot.ts';

type PeekRequest = Parameters<InboundPeekApi['performInboundPeek']>[0];
type PeekAnswer = Awaited<ReturnType<InboundPeekApi['performInboundPeek']>>;
type RenewRequest = Parameters<InboundPeekApi['performRenewInboundPeek']>[0];
type EndRequest = Parameters<InboundPeekApi['performEndInboundPeek']>[0];

export function createInboundPeekApi(context: RoomserverContext): InboundPeekApi {
  return {
    performInboundPeek: (request) => begin(context, request),
    performRenewInboundPeek: (request) => renew(context, request),
    performEndInboundPeek: (request) => end(context, request),
  };
}

/** The head is read and the entry appended under the room's lock, so that nothing comes between; the rest is immutable. */
async function begin(context: RoomserverContext, request: PeekRequest): Promise<PeekAnswer> {
  const { value: head, position } = await context.rooms.change(request.roomId, async (room) => {
    await checkOpenTo(context, room, request);
    checkVersion(room.head, request.roomVersions);
    logPeek(room, request);
    return room.head;
  });
  return { position, snapshot: await peekSnapshot(context, head) };
}

async function renew(
  context: RoomserverContext,
  request: RenewRequest,
): Promise<{ position: number }> {
  const { position } = await context.rooms.change(request.roomId, async (room) => {
    await checkOpenTo(context, room, request);
    logPeek(room, request);
  });
  return { position };
}

async function end(
  { rooms }: RoomserverContext,
  { origin: server, roomId, peekId }: EndRequest,
): Promise<{ position: number }> {
  const { position } = await rooms.change(roomId, async (room) => {
    room.log({ kind: 'RetireInboundPeek', server, peekId, reason: 'deleted' });
  });
  return { position };
}

function logPeek(room: RoomDraft, { origin: server, peekId, expiryTs }: RenewRequest): void {
  room.log({ kind: 'NewInboundPeek', server, peekId, expiryTs });
}

/** Nothing of a room is said to who may not look, but that it is there. */
async function checkOpenTo(
  _context: RoomserverContext,
  room: RoomDraft,
  _request: { readonly origin: string },
): Promise<void> {
  const { head } = room;
  if (head.localMembers === 0) throw new MatrixError('M_NOT_FOUND', 'No such room');
  if (!isPeekable(head)) {
    throw new MatrixError('M_FORBIDDEN', 'The room is not open to everybody');
  }
  const create = await eventOf(room, head.createEventId);
  if (create?.content['m.federate'] === false) {
    throw new MatrixError('M_FORBIDDEN', 'The room is not federated');
  }
}

async function eventOf(room: RoomDraft, eventId: EventId | undefined) {
  return eventId === undefined ? undefined : (await room.event(eventId))?.pdu;
}

function checkVersion({ roomVersion }: RoomHead, known: readonly string[] | undefined): void {
  if (known === undefined || known.includes(roomVersion)) return;
  throw new MatrixError(
    'M_INCOMPATIBLE_ROOM_VERSION',
    'Your server does not know the version of this room',
    { room_version: roomVersion },
  );
}
