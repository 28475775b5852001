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
}

export interface RemoteRooms {
  /** Returns the position in `roomserver.output` that carries the join. */
  join(request: RemoteMembershipRequest): Promise<{ position: number }>;
  knock(request: RemoteMembershipRequest): Promise<{ position: number }>;
  /** Rejects an invite or takes back a knock. */
  leave(request: RemoteMembershipRequest): Promise<{ position: number }>;
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
  resolveAlias: async () => {
    throw new MatrixError('M_NOT_FOUND', 'Aliases of other servers cannot be looked up');
  },
};
