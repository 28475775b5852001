// A local user knocks on a room in which this server is not: make_knock, send_knock.

import { MAX_STRIPPED_EVENTS, pruneStrippedEvent } from '../../protocol/events/stripped-state.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { Written } from '../api.ts';
import type { HandshakeSender, RoomserverContext } from '../context.ts';
import { checkEvents } from '../input/check-event.ts';
import { isChecked } from '../input/checked-event.ts';
import type { RemoteMembershipRequest } from '../membership/remote-rooms.ts';
import { BadAnswer } from './bad-answer.ts';
import { candidateServers } from './candidates.ts';
import { memberEventFrom } from './member-event.ts';
import { storeInvite } from './out-of-band.ts';
import { type MadeHandshake, throughServers } from './through-servers.ts';

/** Errors: those of `performMakeHandshake`. */
export async function knockOnRoom(
  context: RoomserverContext,
  federationsender: HandshakeSender,
  request: RemoteMembershipRequest,
): Promise<Written> {
  const { roomId, userId } = request;
  const servers = await candidateServers(context, request);
  const plan = { handshake: 'knock', roomId, userId, servers } as const;
  return throughServers({ ...context, federationsender }, plan, async (made) => {
    const event = memberEventFrom(context, made, { ...request, membership: 'knock' });
    const { server, roomVersion } = made;
    if (!rulesOf(roomVersion).knocking) throw new BadAnswer('the room does not know knocking');
    const answer = await federationsender.performSendKnock({ server, roomId, roomVersion, event });
    const shown = await shownOf(context, answer.strippedState, { roomId, server, roomVersion });
    const strippedState = shown.flatMap((json) => pruneStrippedEvent(json) ?? []);
    const knock = { roomId, userId, membership: 'knock', roomVersion, server } as const;
    return storeInvite(context, { ...knock, event, strippedState });
  });
}

/** In newer room versions it is whole events, which can be verified: what is none, or not signed, is left out. */
async function shownOf(
  { keyRing }: Pick<RoomserverContext, 'keyRing'>,
  given: readonly JsonObject[],
  {
    roomId,
    server,
    roomVersion,
  }: Pick<MadeHandshake, 'server' | 'roomVersion'> & { roomId: RoomId },
): Promise<readonly JsonObject[]> {
  const rules = rulesOf(roomVersion);
  const few = given.slice(0, MAX_STRIPPED_EVENTS);
  if (!rules.roomIdIsCreateEventId) return few;
  const events = few.map((json) => ({ json }));
  const checked = await checkEvents(events, { roomId, rules, keyRing, origin: server });
  return checked.filter(isChecked).map(({ pdu }) => pdu.json);
}
