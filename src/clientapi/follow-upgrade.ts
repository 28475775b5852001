// Who comes into a room that replaces another finds her settings there (Client-Server API, "Room Upgrades").

import type { RoomId, UserId } from '../protocol/identifiers.ts';
import type { ClientapiContext } from './context.ts';
import { usersVisible } from './visible.ts';

export async function followUpgrade(
  context: Pick<ClientapiContext, 'roomserver' | 'userserver' | 'syncserver'>,
  { roomId, userId }: { readonly roomId: RoomId; readonly userId: UserId },
): Promise<void> {
  const { predecessor } = await context.roomserver.performFollowUpgrade({ roomId, userId });
  if (predecessor === undefined) return;
  const request = { userId, from: predecessor, to: roomId };
  await usersVisible(context, await context.userserver.performCopyRoomSettings(request));
}
