// The table of contents of the Client-Server API: every endpoint that is served, by topic.

import type { Route } from '../http/route.ts';
import type { ClientapiContext } from './context.ts';
import { createRoom } from './routes/createRoom.ts';
import { getCapabilities } from './routes/getCapabilities.ts';
import { getLoginFlows } from './routes/getLoginFlows.ts';
import { getRoomEvents } from './routes/getRoomEvents.ts';
import { getRoomState } from './routes/getRoomState.ts';
import { getRoomStateWithKey } from './routes/getRoomStateWithKey.ts';
import { getTokenOwner } from './routes/getTokenOwner.ts';
import { getVersions } from './routes/getVersions.ts';
import { getWellknown } from './routes/getWellknown.ts';
import { initialSync } from './routes/initialSync.ts';
import { joinRoom } from './routes/joinRoom.ts';
import { joinRoomById } from './routes/joinRoomById.ts';
import { login } from './routes/login.ts';
import { peekEvents } from './routes/peekEvents.ts';
import { peekRoom } from './routes/peekRoom.ts';
import { register } from './routes/register.ts';
import { roomInitialSync } from './routes/roomInitialSync.ts';
import { sendMessage } from './routes/sendMessage.ts';
import { sendMessageOnce } from './routes/sendMessageOnce.ts';
import { setRoomStateWithKey } from './routes/setRoomStateWithKey.ts';
import { sync } from './routes/sync.ts';
import { unpeekRoom } from './routes/unpeekRoom.ts';

type RouteOf = (context: ClientapiContext) => Route;

const routes: readonly RouteOf[] = [
  // The server
  getVersions,
  getCapabilities,
  getWellknown,
  // Accounts and sessions
  register,
  getLoginFlows,
  login,
  getTokenOwner,
  // Rooms
  createRoom,
  joinRoom,
  joinRoomById,
  // Events
  sendMessage,
  sendMessageOnce,
  setRoomStateWithKey,
  getRoomState,
  getRoomStateWithKey,
  getRoomEvents,
  // Following what happens
  sync,
  initialSync,
  roomInitialSync,
  peekEvents,
  peekRoom,
  unpeekRoom,
];

export function createRoutes(context: ClientapiContext): readonly Route[] {
  return routes.map((route) => route(context));
}

/** Operations of the specification that share method and path with another, which serves both. */
export const SHARED_OPERATIONS: Readonly<Record<string, string>> = {
  getEvents: 'peekEvents',
};
