// A room that was closed or encrypted while this server was cut off from it: the event that says so is not to be had any more.
// When nobody lets us look again, and the server through which we did says that it is forbidden, looks into it end.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import { ROOM_VERSIONS } from '../../protocol/roomversions/table.ts';
import type { RoomserverContext } from '../context.ts';

type Context = Pick<RoomserverContext, 'federationsender' | 'logger' | 'outboundPeeks' | 'rooms'>;

/** Whether they have. */
export async function endIfClosed(
  context: Context,
  { roomId, server }: { readonly roomId: RoomId; readonly server: ServerName },
): Promise<boolean> {
  if (!(await isForbidden(context, roomId, server))) return false;
  const { value: hasEnded } = await context.rooms.change(roomId, async (room) => {
    // Somebody has found one that lets us look meanwhile.
    if (context.outboundPeeks.isWatched(roomId)) return false;
    room.log({ kind: 'RetireAllPeeks' });
    return true;
  });
  if (hasEnded) context.logger.info({ roomId, server }, 'a room is not shown any more');
  return hasEnded;
}

/** Of others who were asked, too, one may say so who does not want us. */
async function isForbidden(
  { federationsender }: Context,
  roomId: RoomId,
  server: ServerName,
): Promise<boolean> {
  const request = { roomId, servers: [server], roomVersions: ROOM_VERSIONS };
  try {
    const { peekId } = await federationsender.performOutboundPeek(request);
    await federationsender.performCancelOutboundPeek({ roomId, server, peekId });
    return false;
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
    return isForbiddance(error);
  }
}

export function isForbiddance(error: unknown): boolean {
  return error instanceof MatrixError && error.errcode === 'M_FORBIDDEN';
}
