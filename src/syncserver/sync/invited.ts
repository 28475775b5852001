// `rooms.invite` and `rooms.knock`: what somebody who may soon join is shown of a room.

import { STRIPPED_STATE_TYPES, stripEvent } from '../../protocol/events/stripped-state.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { SyncserverContext } from '../context.ts';
import type { Membership } from '../store/memberships.ts';
import type { SyncRequest } from './sync-request.ts';

/** Undefined when there is nothing to tell. */
export async function invitedRoom(
  { context, since, fullState, viewer, ignored }: SyncRequest,
  membership: Membership,
): Promise<JsonObject | undefined> {
  const isNews = since === undefined || fullState || membership.position > since.rooms;
  if (!isNews) return undefined;
  const events = await strippedState(context, membership);
  const own = events.find(
    ({ type, state_key }) => type === 'm.room.member' && state_key === viewer.userId,
  );
  // Who is ignored sends no invites. A knock is the user's own.
  if (membership.membership === 'invite' && ignored.has(own?.sender as UserId)) return undefined;
  const key = membership.membership === 'invite' ? 'invite_state' : 'knock_state';
  return { [key]: { events } };
}

/** Of a room in which this server is not, what came with the invite. */
export async function strippedState(
  { roomserver, events }: Pick<SyncserverContext, 'roomserver' | 'events'>,
  membership: Membership,
): Promise<readonly JsonObject[]> {
  const { roomId, userId } = membership;
  if (membership.strippedState !== undefined) return membership.strippedState;
  const state = await roomserver.queryStateEvents({
    roomId,
    keys: STRIPPED_STATE_TYPES.map((type) => ({ type, stateKey: '' })),
  });
  const own = await events.one(membership.eventId);
  const others = state.filter(({ json }) => json.state_key !== userId);
  return [...others, ...(own === undefined ? [] : [own])].map(stripEvent);
}
