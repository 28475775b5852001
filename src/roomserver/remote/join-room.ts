// A local user joins a room by another server's help: make_join, send_join, and the state that it answers.

import type { SendJoinAnswer } from '../../federationsender/api.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { Written } from '../api.ts';
import type { HandshakeSender, RoomserverContext } from '../context.ts';
import type { CheckedEvent } from '../input/checked-event.ts';
import { inputChecked } from '../input/input-events.ts';
import { inputState } from '../input/input-state.ts';
import { receiveEvent } from '../input/receive-event.ts';
import { canGuestsJoin, dismissGuest } from '../membership/guests.ts';
import { isHere } from '../membership/is-here.ts';
import type { RemoteMembershipRequest } from '../membership/remote-rooms.ts';
import { refusalOf } from '../policy/need-signature.ts';
import { PolicyRefusal } from '../policy/signature-needed.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { deleteInvite } from '../store/invites.ts';
import { BadAnswer } from './bad-answer.ts';
import { candidateServers } from './candidates.ts';
import { checkOwnEvent, withSignaturesOf } from './cosigned.ts';
import { memberEventFrom } from './member-event.ts';
import { readPdus } from './read-pdus.ts';
import { type MadeHandshake, throughServers } from './through-servers.ts';

/**
 * Joins even where we are in the room, if others have to allow it. Errors: those of `performMakeHandshake`, M_UNKNOWN
 * when no server has given a proper answer.
 */
export async function joinRoom(
  context: RoomserverContext,
  federationsender: HandshakeSender,
  request: RemoteMembershipRequest,
): Promise<Written> {
  if (request.isGuest && request.isRefusedHere) throw guestsForbidden();
  const { roomId, userId } = request;
  const servers = await candidateServers(context, request);
  const plan = { handshake: 'join', roomId, userId, servers } as const;
  const joined = await throughServers({ ...context, federationsender }, plan, async (made) => {
    const wanted = { ...request, membership: 'join' } as const;
    const pdu = memberEventFrom(context, made, wanted);
    const { server, roomVersion } = made;
    const answer = await federationsender.performSendJoin({
      server,
      roomId,
      roomVersion,
      event: pdu,
    });
    return takeAnswer(context, request, { made, answer, pdu });
  });
  if (joined.isDismissed) throw guestsForbidden();
  return { position: joined.position };
}

interface Joined extends Written {
  /** A guest, whom the room does not let in, as its state has shown: she has left it again. */
  readonly isDismissed?: boolean;
}

function guestsForbidden(): MatrixError {
  return new MatrixError('M_GUEST_ACCESS_FORBIDDEN', 'Guests may not join this room');
}

interface Joining {
  readonly made: MadeHandshake;
  readonly answer: SendJoinAnswer;
  readonly pdu: Pdu;
}

async function takeAnswer(
  context: RoomserverContext,
  request: RemoteMembershipRequest,
  { made, answer, pdu }: Joining,
): Promise<Joined> {
  const { roomId } = request;
  const rules = rulesOf(made.roomVersion);
  const signed = withSignaturesOf(pdu, answer.event, rules);
  const join = await checkOwnEvent(context, signed, { roomId, rules });
  const head = await context.rooms.head(roomId);
  if (isHere(head)) {
    const input = { head, origin: made.server, events: [join], kind: 'new' } as const;
    const fate = (await inputChecked(context, input)).get(pdu.eventId);
    if (fate?.fate === 'accepted') return { position: fate.position };
    // It has come by another way already.
    if (fate?.fate === 'duplicate') {
      return { position: await context.eventLog.head('roomserver.output') };
    }
    throw new BadAnswer(`the join is not allowed here: ${JSON.stringify(fate)}`);
  }
  return takeState(context, request, { made, answer, join });
}

/** Throws BadAnswer when the state does not validate. */
async function takeState(
  context: RoomserverContext,
  { roomId, userId, isGuest = false }: RemoteMembershipRequest,
  { made, answer, join }: Omit<Joining, 'pdu'> & { readonly join: CheckedEvent },
): Promise<Joined> {
  // It was not asked to, and a state with holes would be another state.
  if (answer.membersOmitted) throw new BadAnswer('members are missing in the state');
  const { roomVersion } = made;
  const room = { roomId, rules: rulesOf(roomVersion) };
  const state = await readPdus(answer.state, room);
  const authChain = await readPdus(answer.authChain, room);
  checkState(state, made);
  const stateAfter = state.map(({ eventId }) => eventId);
  const request = {
    roomId,
    roomVersion,
    reason: 'join',
    origin: made.server,
    extremities: join.pdu.prevEvents.map((eventId) => ({ eventId, stateAfter })),
    events: [...new Map([...authChain, ...state].map((pdu) => [pdu.eventId, pdu])).values()],
  } as const;
  let isDismissed = false;
  try {
    const { position } = await inputState(context, request, async (draft) => {
      await appendJoin(context, draft, join);
      draft.changes.guests.set(userId, isGuest);
      isDismissed = isGuest && !(await canGuestsJoin(draft));
      if (isDismissed) await dismissGuest(context, draft, userId);
      draft.alsoWrite((tx) => deleteInvite(tx, roomId, userId));
    });
    return { position, isDismissed };
  } catch (error) {
    const isRefused = error instanceof MatrixError && error.errcode === 'M_FORBIDDEN';
    throw isRefused && !(error instanceof PolicyRefusal) ? new BadAnswer(error.message) : error;
  }
}

/** Throws BadAnswer for what cannot be the state of such a room. */
function checkState(state: readonly Pdu[], { roomVersion }: MadeHandshake): void {
  const create = state.find(({ type, stateKey }) => type === 'm.room.create' && stateKey === '');
  if ((create?.content.room_version ?? '1') !== roomVersion) {
    throw new BadAnswer('the room is of another version');
  }
}

/** As what others see of it: an event like any other, after a history that is not here. */
async function appendJoin(
  context: RoomserverContext,
  room: RoomDraft,
  event: CheckedEvent,
): Promise<void> {
  const arrival = { event, kind: 'new', statesAfter: new Map() } as const;
  const decision = await receiveEvent(context, room, arrival);
  if (decision.fate !== 'accepted') {
    const refusal = refusalOf(room, event.pdu);
    if (refusal !== undefined) throw refusal;
    throw new BadAnswer(`the join is not allowed by the state: ${JSON.stringify(decision)}`);
  }
  const { eventId, prevEvents } = event.pdu;
  const present = await room.events(prevEvents);
  for (const id of prevEvents) {
    if (present.get(id)?.stateBefore !== undefined) continue;
    room.changes.missing.push({ eventId: id, referencedBy: eventId });
  }
}
