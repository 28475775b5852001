// Seam to rooms in which this server is not resident.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomId, ServerName, UserId } from '../../protocol/identifiers.ts';
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
}

const unknownRoom = async (): Promise<never> => {
  throw new MatrixError('M_NOT_FOUND', 'This server does not take part in that room');
};

export const noRemoteRooms: RemoteRooms = {
  join: unknownRoom,
  knock: unknownRoom,
  leave: unknownRoom,
};
