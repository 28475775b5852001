// A local user invites one of another server: that server signs the event before it becomes part of the room.

import { MatrixError } from '../../protocol/error.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import { serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { Written } from '../api.ts';
import type { HandshakeSender, RoomserverContext } from '../context.ts';
import { hasSignatureOf } from '../input/check-signatures.ts';
import type { CheckedEvent } from '../input/checked-event.ts';
import { receiveEvent } from '../input/receive-event.ts';
import type { RemoteInvite } from '../membership/remote-rooms.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { strippedStateOf } from '../rooms/stripped-state.ts';
import { buildLocalEvent, unchangedState } from '../send/append-local-event.ts';
import { BadAnswer } from './bad-answer.ts';
import { checkOwnEvent, withSignaturesOf } from './cosigned.ts';

/** Errors: M_FORBIDDEN with the rule, and what the other server refuses it with. */
export async function inviteUser(
  context: RoomserverContext,
  federationsender: HandshakeSender,
  invite: RemoteInvite,
): Promise<Written> {
  const { roomId, target } = invite;
  const { value: made, position } = await context.rooms.change(roomId, (room) =>
    makeInvite(context, room, invite),
  );
  if (made === undefined) return { position };
  const { pdu, strippedState } = made;
  const { roomVersion } = pdu;
  const answer = await federationsender.performSendInvite({
    server: serverNameOf(target),
    roomVersion,
    event: pdu,
    strippedState,
  });
  const event = await takeSignature(context, pdu, { ...invite, copy: answer.event });
  return append(context, invite, event);
}

interface MadeInvite {
  readonly pdu: Pdu;
  readonly strippedState: readonly JsonObject[];
}

/** Undefined: the user is invited just so already. */
async function makeInvite(
  context: RoomserverContext,
  room: RoomDraft,
  { sender, target, content }: RemoteInvite,
): Promise<MadeInvite | undefined> {
  const event = {
    type: 'm.room.member',
    sender,
    stateKey: target,
    content: { ...content, membership: 'invite' },
  };
  if ((await unchangedState(room, event)) !== undefined) return undefined;
  const { pdu } = await buildLocalEvent(context, room, event);
  return { pdu, strippedState: await strippedStateOf(room, sender) };
}

async function takeSignature(
  context: RoomserverContext,
  pdu: Pdu,
  { roomId, target, copy }: { roomId: RemoteInvite['roomId']; target: UserId; copy: JsonObject },
): Promise<CheckedEvent> {
  const rules = rulesOf(pdu.roomVersion);
  const server = serverNameOf(target);
  try {
    const signed = withSignaturesOf(pdu, copy, rules);
    if (!(await hasSignatureOf(server, signed, { rules, keyRing: context.keyRing }))) {
      throw new BadAnswer('the invite is not signed');
    }
    return await checkOwnEvent(context, signed, { roomId, rules });
  } catch (error) {
    if (!(error instanceof BadAnswer)) throw error;
    throw new MatrixError('M_UNKNOWN', `The answer of ${server} cannot be used: ${error.message}`);
  }
}

/** The room may have changed meanwhile: the event comes as one that was made before that. */
async function append(
  context: RoomserverContext,
  { roomId }: RemoteInvite,
  event: CheckedEvent,
): Promise<Written> {
  const sendAs = context.serverName;
  const arrival = { event, kind: 'new', statesAfter: new Map(), sendAs } as const;
  const { value: decision, position } = await context.rooms.change(roomId, (room) =>
    receiveEvent(context, room, arrival),
  );
  if (decision.fate === 'accepted' || decision.fate === 'duplicate') return { position };
  throw new MatrixError('M_FORBIDDEN', `Rule ${decision.rule}: ${decision.reason}`);
}
