// performAcceptInvite: a local user is invited by another server's user, mostly into a room that is not here.

import { MatrixError } from '../../protocol/error.ts';
import { Pdu, type PduJson } from '../../protocol/events/pdu.ts';
import { MAX_STRIPPED_EVENTS, pruneStrippedEvent } from '../../protocol/events/stripped-state.ts';
import {
  isUserId,
  type ServerName,
  serverNameOf,
  type UserId,
} from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { RoomVersionId } from '../../protocol/roomversions/room-version.ts';
import { isRoomVersion, rulesOf } from '../../protocol/roomversions/table.ts';
import { signPdu } from '../../protocol/signing.ts';
import type { RoomserverContext } from '../context.ts';
import { checkEvents } from '../input/check-event.ts';
import { type CheckedEvent, isChecked } from '../input/checked-event.ts';
import { inputChecked, isLacking } from '../input/input-events.ts';
import { storeInvite } from '../remote/out-of-band.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { checkAdmitted } from '../rooms/served-room.ts';
import type { ServingApi } from '../serving-api.ts';
import { checkGivenEvent, checkIsOfOrigin, invalid } from './given-event.ts';

type InviteRequest = Parameters<ServingApi['performAcceptInvite']>[0];

export async function acceptInvite(
  context: RoomserverContext,
  request: InviteRequest,
): Promise<{ event: PduJson }> {
  const { roomVersion, roomId } = request;
  if (!isRoomVersion(roomVersion)) {
    const reason = 'This server does not know the version of that room';
    throw new MatrixError('M_INCOMPATIBLE_ROOM_VERSION', reason, { room_version: roomVersion });
  }
  const given = await checkGivenEvent(context, { ...request, roomVersion });
  const target = checkIsInvite(context, given.pdu, request);
  const strippedState = await checkStrippedState(context, request, roomVersion);
  const event = sign(context, given);
  await context.turns.run(roomId, async () => {
    const head = await context.rooms.head(roomId);
    if (head !== undefined) await checkAdmitted(context, head, request.origin);
    if (head !== undefined && head.localMembers > 0)
      return inputHere(context, head, { origin: request.origin, event });
    await storeInvite(context, {
      roomId,
      userId: target,
      membership: 'invite',
      roomVersion,
      server: request.origin,
      event: event.pdu,
      strippedState: strippedState.flatMap((json) => pruneStrippedEvent(json) ?? []),
    });
  });
  return { event: event.pdu.json };
}

/** So that nothing is signed that is none. Throws M_INVALID_PARAM, M_FORBIDDEN for another server's user. */
function checkIsInvite(
  { serverName }: RoomserverContext,
  pdu: Pdu,
  request: InviteRequest,
): UserId {
  if (pdu.type !== 'm.room.member') throw invalid('the event is no m.room.member');
  if (pdu.membership !== 'invite') throw invalid('the membership is not invite');
  checkIsOfOrigin(pdu, request.origin);
  const { stateKey } = pdu;
  if (!isUserId(stateKey) || serverNameOf(stateKey) !== serverName) {
    throw invalid('the state_key is no user of this server');
  }
  return stateKey;
}

/**
 * What is whole has to be of the room and signed; in older room versions what is not is left out. Throws
 * M_INVALID_PARAM, in newer ones also where m.room.create is missing.
 */
async function checkStrippedState(
  { keyRing }: RoomserverContext,
  { roomId, origin, strippedState }: InviteRequest,
  roomVersion: RoomVersionId,
): Promise<JsonObject[]> {
  if (strippedState.length > MAX_STRIPPED_EVENTS) throw invalid('there is too much stripped state');
  const rules = rulesOf(roomVersion);
  if (!rules.roomIdIsCreateEventId) return [...strippedState];
  const events = strippedState.map((json) => ({ json }));
  const checked = (await checkEvents(events, { roomId, rules, keyRing, origin })).filter(isChecked);
  if (checked.length < strippedState.length) {
    throw invalid('an event of invite_room_state is none of the room, or not signed');
  }
  if (!checked.some(({ pdu }) => pdu.type === 'm.room.create')) {
    throw invalid('m.room.create is missing in invite_room_state');
  }
  return checked.map(({ pdu }) => pdu.json);
}

function sign({ serverName, signingKey }: RoomserverContext, event: CheckedEvent): CheckedEvent {
  const { eventId, roomVersion } = event.pdu;
  const by = { serverName, key: signingKey };
  const json = signPdu(event.pdu.json, rulesOf(roomVersion), by);
  return { ...event, pdu: Pdu.from({ eventId, roomVersion, json }) };
}

/**
 * Of a room that is here the event is one like others. Where something before it cannot be had now it is left to come when its sender
 * has it, with the others: to go on by a state would leave a hole. Throws M_FORBIDDEN.
 */
async function inputHere(
  context: RoomserverContext,
  head: RoomHead,
  { origin, event }: { readonly origin: ServerName; readonly event: CheckedEvent },
): Promise<void> {
  const events = [event];
  const input = { head, origin, events, kind: 'new', isUnsent: true, isConnected: true } as const;
  const fate = (await inputChecked(context, input)).get(event.pdu.eventId);
  if (fate?.fate === 'accepted' || fate?.fate === 'duplicate' || isLacking(fate)) return;
  throw new MatrixError('M_FORBIDDEN', `The invite is not allowed: ${fate?.reason}`);
}
