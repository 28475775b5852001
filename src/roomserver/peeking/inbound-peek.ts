// Another server looks into a room of ours: what is checked, the cut in the log, and the snapshot before it.

import { MatrixError } from '../../protocol/error.ts';
import { isPeekable } from '../../protocol/visibility.ts';
import type { RoomserverContext } from '../context.ts';
import type { InboundPeekApi } from '../inbound-peek-api.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { servedRoom } from '../rooms/served-room.ts';
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
  await servedRoom(context, request);
  const { value: head, position } = await context.rooms.change(request.roomId, async (room) => {
    checkOpen(room.head);
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
  await servedRoom(context, request);
  const { position } = await context.rooms.change(request.roomId, async (room) => {
    checkOpen(room.head);
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

/** Under the lock: it may have been closed, or left by our last user, just now. */
function checkOpen(head: RoomHead): void {
  if (head.localMembers === 0) throw new MatrixError('M_NOT_FOUND', 'No such room');
  if (!isPeekable(head)) {
    throw new MatrixError('M_FORBIDDEN', 'The room is not open to everybody');
  }
}

function checkVersion({ roomVersion }: RoomHead, known: readonly string[] | undefined): void {
  if (known === undefined || known.includes(roomVersion)) return;
  throw new MatrixError(
    'M_INCOMPATIBLE_ROOM_VERSION',
    'Your server does not know the version of this room',
    { room_version: roomVersion },
  );
}
