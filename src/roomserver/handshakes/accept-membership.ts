// performAcceptMembership: send_join, send_leave, send_knock. The event goes through the receive pipeline, and from here to
// the other servers of the room.

import { MatrixError } from '../../protocol/error.ts';
import { Pdu, type PduJson } from '../../protocol/events/pdu.ts';
import { isUserId, serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import { signPdu } from '../../protocol/signing.ts';
import type { EventFate } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { EventRecord } from '../event-record.ts';
import type { CheckedEvent } from '../input/checked-event.ts';
import { inputChecked } from '../input/input-events.ts';
import { authorisingUser } from '../membership/restricted-join.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { servedRoom } from '../rooms/served-room.ts';
import { strippedStateOf } from '../rooms/stripped-state.ts';
import type { ServingApi } from '../serving-api.ts';
import { checkGivenEvent, checkIsOfOrigin, invalid } from './given-event.ts';
import { stateWithAuthChain } from './state-with-auth-chain.ts';

type AcceptRequest = Parameters<ServingApi['performAcceptMembership']>[0];
type Accepted = Awaited<ReturnType<ServingApi['performAcceptMembership']>>;

export async function acceptMembership(
  context: RoomserverContext,
  request: AcceptRequest,
): Promise<Accepted> {
  const { origin, roomId, membership } = request;
  const head = await servedRoom(context, request);
  const given = await checkGivenEvent(context, { ...request, roomVersion: head.roomVersion });
  checkIsOwn(given.pdu, request);
  const event = await cosign(context, head, given);
  const { serverName } = context;
  const input = { head, origin, events: [event], kind: 'new', sendAs: serverName } as const;
  checkFate((await inputChecked(context, input)).get(event.pdu.eventId));
  const record = await context.events.get(event.pdu.eventId);
  if (record === undefined) throw invalid('the event was not taken');
  checkStanding(record);
  const answer = {
    event: signedAs(record, event.pdu.json),
    state: [],
    authChain: [],
    strippedState: [],
  };
  if (membership === 'join') {
    return { ...answer, ...(await stateWithAuthChain(context, head, record)) };
  }
  if (membership === 'leave') return answer;
  const { value } = await context.rooms.change(roomId, (room) => strippedStateOf(room));
  return { ...answer, strippedState: value };
}

/** With what it was signed with on its way into the room. */
function signedAs({ pdu }: EventRecord, event: PduJson): PduJson {
  const { signatures } = pdu.json;
  return signatures === undefined ? event : { ...event, signatures };
}

/** Throws M_INVALID_PARAM unless it is what its sender does with her own membership, M_FORBIDDEN for another server's user. */
function checkIsOwn(pdu: Pdu, { origin, membership }: AcceptRequest): void {
  if (pdu.type !== 'm.room.member') throw invalid('the event is no m.room.member');
  if (pdu.membership !== membership) throw invalid(`the membership is not ${membership}`);
  if (pdu.stateKey !== pdu.sender) throw invalid('the state_key is not the sender');
  checkIsOfOrigin(pdu, origin);
}

/**
 * With our signature where the join names one of our users as the one who lets in: if she would. Errors: those of
 * `authorisingUser`.
 */
async function cosign(
  context: RoomserverContext,
  head: RoomHead,
  event: CheckedEvent,
): Promise<CheckedEvent> {
  const { pdu, signedBy } = event;
  const { serverName, signingKey } = context;
  const rules = rulesOf(head.roomVersion);
  const via = pdu.content.join_authorised_via_users_server;
  const isOurs = isUserId(via) && serverNameOf(via) === serverName;
  if (!rules.restrictedJoins || pdu.membership !== 'join' || !isOurs) return event;
  await checkMayJoin(context, head, pdu.sender);
  const { eventId, roomVersion } = pdu;
  const json = signPdu(pdu.json, rules, { serverName, key: signingKey });
  return {
    pdu: Pdu.from({ eventId, roomVersion, json }),
    signedBy: new Set([...signedBy, serverName]),
  };
}

/** What make_join has found may be so no more. */
async function checkMayJoin(
  context: RoomserverContext,
  { roomId }: RoomHead,
  userId: UserId,
): Promise<void> {
  await context.rooms.change(roomId, async (room) => {
    const member = await room.currentEvent('m.room.member', userId);
    const membership = member?.pdu.membership;
    if (membership === 'join' || membership === 'invite') return;
    await authorisingUser(context, room, userId);
  });
}

/** Throws M_FORBIDDEN where the rules refuse it, M_INVALID_PARAM where it cannot be judged. */
function checkFate(fate: EventFate | undefined): void {
  if (fate === undefined) throw invalid('the event was not taken');
  switch (fate.fate) {
    case 'accepted':
    case 'duplicate':
      return;
    case 'dropped':
      throw invalid(`${fate.rule}: ${fate.reason}`);
    default:
      throw new MatrixError('M_FORBIDDEN', `Rule ${fate.rule}: ${fate.reason}`);
  }
}

/** One that comes again is answered as before: refused, if it was. */
function checkStanding({ standing, reason }: EventRecord): void {
  if (standing === 'accepted') return;
  throw new MatrixError('M_FORBIDDEN', `The event has been refused: ${reason ?? standing}`);
}
