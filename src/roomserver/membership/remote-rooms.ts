// Seam to rooms in which this server is not resident.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomAlias, RoomId, ServerName, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';

export interface RemoteMembershipRequest {
  readonly roomId: RoomId;
  readonly userId: UserId;
  /** Servers to ask, in order. */
  readonly serverNames: readonly ServerName[];
  readonly content: JsonObject;
  readonly isGuest?: boolean;
  /** For joins: we are in the room, but only another server can allow it. */
  readonly isRefusedHere?: boolean;
}

export interface RemoteInvite {
  readonly roomId: RoomId;
  readonly sender: UserId;
  readonly target: UserId;
  readonly content: JsonObject;
}

export interface RemoteRooms {
  /** Returns the position in `roomserver.output` that carries the join. */
  join(request: RemoteMembershipRequest): Promise<{ position: number }>;
  knock(request: RemoteMembershipRequest): Promise<{ position: number }>;
  /** Rejects an invite or takes back a knock. */
  leave(request: RemoteMembershipRequest): Promise<{ position: number }>;
  /** Of a user of another server, by one of ours in a room in which we are. */
  invite(request: RemoteInvite): Promise<{ position: number }>;
  /** Asks the alias's server where it leads. Throws M_NOT_FOUND. */
  resolveAlias(alias: RoomAlias): Promise<{ roomId: RoomId; servers: ServerName[] }>;
}

const unknownRoom = async (): Promise<never> => {
  throw new MatrixError('M_NOT_FOUND', 'This server does not take part in that room');
};

export const noRemoteRooms: RemoteRooms = {
  join: unknownRoom,
  knock: unknownRoom,
  leave: unknownRoom,
  invite: async () => {
    throw new MatrixError('M_FORBIDDEN', 'Users of other servers cannot be invited');
  },
  resolveAlias: async () => {
    throw new MatrixError('M_NOT_FOUND', 'Aliases of other servers cannot be looked up');
  },
};
