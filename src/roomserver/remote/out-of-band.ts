// Invites and knocks of local users in rooms in which this server is not: rows of their own, and entries of the log.
// To be called in the room's turn (turns.ts).

import type { Transaction } from '../../database/database.ts';
import { ENTRY_VERSION, type RoomEntry } from '../../eventlog/entries.ts';
import type { PduRecord } from '../../protocol/events/pdu.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { DraftEntry } from '../rooms/room-draft.ts';
import { deleteInvite, type Invite, upsertInvite } from '../store/invites.ts';
import { updateForgotten, upsertMemberships } from '../store/memberships.ts';

type Context = Pick<RoomserverContext, 'database' | 'eventLog' | 'rooms'>;

export interface NewOutOfBand extends Omit<Invite, 'eventId'> {
  readonly event: PduRecord;
  readonly strippedState: readonly JsonObject[];
}

export function storeInvite(context: Context, invite: NewOutOfBand): Promise<Written> {
  const { userId, roomId, membership, event, strippedState } = invite;
  const { eventId } = event;
  const entry = { kind: 'NewInvite', userId, membership, event, strippedState } as const;
  return write(context, { roomId, entry }, async (tx) => {
    await upsertInvite(tx, { ...invite, eventId });
    await upsertMemberships(tx, [{ roomId, userId, membership, eventId }]);
  });
}

/** Rejected, withdrawn or taken back by the event. */
export function retireInvite(
  context: Context,
  { roomId, userId }: Pick<Invite, 'roomId' | 'userId'>,
  { membership, event: record }: { readonly membership: string; readonly event: PduRecord },
): Promise<Written> {
  const { eventId, roomVersion, json } = record;
  const event = { eventId, roomVersion, json };
  const entry = { kind: 'RetireInvite', userId, eventId, membership, event } as const;
  return write(context, { roomId, entry }, async (tx) => {
    await deleteInvite(tx, roomId, userId);
    await upsertMemberships(tx, [{ roomId, userId, membership, eventId }]);
  });
}

export function forgetOutOfBand(
  context: Context,
  { roomId, userId }: Pick<Invite, 'roomId' | 'userId'>,
): Promise<Written> {
  const entry = { kind: 'ForgetRoom', userId } as const;
  return write(context, { roomId, entry }, async (tx) => {
    await updateForgotten(tx, roomId, userId);
  });
}

/** Of a room that is known, under its lock: what is committed of the room after this comes after this in the log. */
async function write(
  { database, eventLog, rooms }: Context,
  { roomId, entry: draft }: { readonly roomId: RoomId; readonly entry: DraftEntry },
  store: (tx: Transaction) => Promise<void>,
): Promise<Written> {
  if ((await rooms.head(roomId)) !== undefined) {
    const { position } = await rooms.change(roomId, async (room) => {
      room.alsoWrite(store);
      room.log(draft);
    });
    return { position };
  }
  const entry = { v: ENTRY_VERSION, ...draft } as RoomEntry;
  const ticket = await database.transact(async (tx) => {
    await store(tx);
    return eventLog.append(tx, 'roomserver.output', [{ key: roomId, entry }]);
  });
  return { position: await eventLog.position(ticket) };
}
