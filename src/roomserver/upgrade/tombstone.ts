// The end of a room that has been replaced: the tombstone, and what else keeps people from going on in it.

import { readEntry } from '../../protocol/auth/power-level-value.ts';
import { DEFAULT_LEVELS } from '../../protocol/auth/power-levels.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { RoomserverContext } from '../context.ts';
import { authStateFor } from '../rooms/auth-state.ts';
import { extendRoom } from '../rooms/extend-room.ts';
import { resolveSnapshots } from '../rooms/resolve-snapshots.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { appendLocalEvent, checkAuthorized, type LocalEvent } from '../send/append-local-event.ts';
import { moveAliases } from '../store/aliases.ts';
import { deletePublished } from '../store/published.ts';

const RESTRICTED_LEVEL = 50;

export function tombstoneOf(sender: UserId, replacement: RoomId): LocalEvent {
  const content = { body: 'This room has been replaced', replacement_room: replacement };
  return { type: 'm.room.tombstone', stateKey: '', sender, content };
}

/** Throws M_FORBIDDEN. */
export async function buryRoom(
  context: RoomserverContext,
  room: RoomDraft,
  end: { readonly sender: UserId; readonly replacement: RoomId; readonly built: Pdu | undefined },
): Promise<void> {
  const { sender, replacement, built } = end;
  if (built !== undefined) await appendBuilt(context, room, built);
  else await appendLocalEvent(context, room, tombstoneOf(sender, replacement));
  await moveAddresses(room, replacement);
  const alias = await room.currentEvent('m.room.canonical_alias', '');
  if (alias !== undefined && Object.keys(alias.pdu.content).length > 0) {
    await ifAllowed(context, room, { type: 'm.room.canonical_alias', sender, content: {} });
  }
  const levels = await room.currentEvent('m.room.power_levels', '');
  if (levels !== undefined) {
    const content = restricted(levels.pdu.content, room);
    await ifAllowed(context, room, { type: 'm.room.power_levels', sender, content });
  }
}

/** Aliases of this server, and the place in its list of rooms. */
export async function moveAddresses(room: RoomDraft, replacement: RoomId): Promise<void> {
  room.alsoWrite((tx) => moveAliases(tx, room.roomId, replacement));
  room.alsoWrite((tx) => deletePublished(tx, room.roomId));
}

/** The room may have gone on since the event was built: then it has its own place in history. */
async function appendBuilt(context: RoomserverContext, room: RoomDraft, pdu: Pdu): Promise<void> {
  const previous = await room.events(pdu.prevEvents);
  const states = [...previous.values()].flatMap(({ stateAfter }) => stateAfter ?? []);
  const stateBefore = await resolveSnapshots(room, states);
  checkAuthorized(context, pdu, await authStateFor(room, room.head.currentState, pdu));
  const { serverName } = context;
  await extendRoom(room, { pdu, stateBefore, serverName, sendAs: serverName });
}

/** What the user has not the power to change stays as it is. */
async function ifAllowed(
  context: RoomserverContext,
  room: RoomDraft,
  event: Omit<LocalEvent, 'stateKey'>,
): Promise<void> {
  try {
    await appendLocalEvent(context, room, { ...event, stateKey: '' });
  } catch (error) {
    if (!(error instanceof MatrixError) || error.errcode !== 'M_FORBIDDEN') throw error;
  }
}

/** Nobody without power goes on speaking or inviting. */
function restricted(content: JsonObject, { rules }: RoomDraft): JsonObject {
  const level = (name: 'users_default' | 'events_default' | 'invite') =>
    readEntry(content, name, rules) ?? DEFAULT_LEVELS[name];
  const least = Math.max(RESTRICTED_LEVEL, level('users_default') + 1);
  return {
    ...content,
    events_default: Math.max(level('events_default'), least),
    invite: Math.max(level('invite'), least),
  };
}
