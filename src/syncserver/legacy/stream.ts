// What /events shows of what happened between two tokens.

import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import type { LiveUser } from '../live/live-user.ts';
import type { RoomView } from '../rooms/room-view.ts';
import type { SyncToken } from '../tokens.ts';

/** A room that is followed. */
export interface StreamRoom {
  readonly view: Omit<RoomView, 'endState'>;
  /** Typing, receipts and the like are for those who are in the room. */
  readonly isMember: boolean;
  /** Whether events are shown from the time only in which the user was in the room. */
  readonly whileJoined: boolean;
}

export interface Stream {
  readonly context: SyncserverContext;
  readonly viewer: Viewer;
  readonly user: LiveUser;
  readonly since: SyncToken;
  readonly now: SyncToken;
  readonly rooms: ReadonlyMap<RoomId, StreamRoom>;
  /** Of one room, or of all that concerns the user. */
  readonly isGlobal: boolean;
  readonly ignored: ReadonlySet<UserId>;
  /** Of events of rooms. */
  readonly limit: number;
}

export interface Chunk {
  readonly events: readonly JsonObject[];
  /** How far this tells. */
  readonly end: SyncToken;
}
