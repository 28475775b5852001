// A new session as /login, /register and /refresh answer it.

import type { JsonObject } from '../protocol/json.ts';
import type { Session } from '../userserver/api.ts';

/** `home_server` is deprecated but still read by old clients. */
export function sessionBody(session: Session, serverName: string): JsonObject {
  return {
    user_id: session.userId,
    device_id: session.deviceId,
    home_server: serverName,
    ...tokensBody(session),
  };
}

export function tokensBody(session: Session): JsonObject {
  return {
    access_token: session.accessToken,
    ...(session.refreshToken !== undefined && { refresh_token: session.refreshToken }),
    ...(session.expiresInMs !== undefined && { expires_in_ms: session.expiresInMs }),
  };
}
