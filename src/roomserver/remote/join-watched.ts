// A local user joins a room into which we look (MSC2444, "Joining a room"): the event is made here, of the state that is
// here, and becomes ours once the server through which we look has accepted it.

import { MatrixError } from '../../protocol/error.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { Written } from '../api.ts';
import type { HandshakeSender, RoomserverContext } from '../context.ts';
import { receiveEvent } from '../input/receive-event.ts';
import { joinEvent } from '../membership/join.ts';
import type { RemoteMembershipRequest } from '../membership/remote-rooms.ts';
import { whileHeld } from '../peeking/while-held.ts';
import { PolicyRefusal } from '../policy/signature-needed.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { buildLocalEvent } from '../send/append-local-event.ts';
import { deleteInvite } from '../store/invites.ts';

/** Undefined where it cannot be done like this: others have to be asked for the event, or for their signature. */
export async function joinWatched(
  context: RoomserverContext,
  federationsender: HandshakeSender,
  request: RemoteMembershipRequest,
): Promise<Written | undefined> {
  const { roomId } = request;
  const servers = context.outboundPeeks.serversOf(roomId);
  const [server] = servers;
  if (server === undefined) return undefined;
  try {
    // What follows the join comes from there too, and must not bring it here before it is ours to distribute.
    return await whileHeld(context, { roomId, servers }, async () => {
      const { value: event } = await context.rooms.change(roomId, (room) =>
        draftJoin(context, room, request),
      );
      const { roomVersion } = event;
      await federationsender.performOfferEvent({ server, roomId, roomVersion, event });
      const { position } = await context.rooms.change(roomId, (room) =>
        takeJoin(context, room, { event, request }),
      );
      return { position };
    });
  } catch (error) {
    if (!(error instanceof MatrixError) || error instanceof PolicyRefusal) throw error;
    context.logger.info({ roomId, server, err: error }, 'a room is not joined as it is known here');
    return undefined;
  }
}

async function draftJoin(
  context: RoomserverContext,
  room: RoomDraft,
  request: RemoteMembershipRequest,
): Promise<Pdu> {
  const event = await joinEvent(context, room, request);
  if (event === undefined) throw new MatrixError('M_BAD_STATE', 'You have joined already');
  return (await buildLocalEvent(context, room, event)).pdu;
}

async function takeJoin(
  context: RoomserverContext,
  room: RoomDraft,
  { event: pdu, request }: { readonly event: Pdu; readonly request: RemoteMembershipRequest },
): Promise<void> {
  const { serverName } = context;
  const { roomId, userId, isGuest = false } = request;
  const event = { pdu, signedBy: new Set([serverName]) };
  const arrival = { event, kind: 'new', statesAfter: new Map(), sendAs: serverName } as const;
  const decision = await receiveEvent(context, room, arrival);
  if (decision.fate !== 'accepted') {
    throw new MatrixError('M_FORBIDDEN', `The join is not allowed: ${JSON.stringify(decision)}`);
  }
  room.changes.guests.set(userId, isGuest);
  room.alsoWrite((tx) => deleteInvite(tx, roomId, userId));
}
