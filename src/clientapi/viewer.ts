// The requester as the other components want to know her.

import type { Requester } from '../http/route.ts';
import { MatrixError } from '../protocol/error.ts';
import type { DeviceId, UserId } from '../protocol/identifiers.ts';
import type { Viewer } from '../syncserver/api.ts';

/** Throws M_FORBIDDEN for tokens that belong to no device. */
export function deviceOf(requester: Requester): DeviceId {
  if (requester.deviceId === undefined) {
    throw new MatrixError('M_FORBIDDEN', 'This needs an access token that belongs to a device');
  }
  return requester.deviceId;
}

export function viewerOf(requester: Requester): Viewer {
  return {
    userId: requester.userId,
    deviceId: deviceOf(requester),
    isGuest: requester.isGuest,
  };
}

/** Throws M_FORBIDDEN: account data, filters, tags and the like are their owner's alone. */
export function checkIsSelf(requester: Requester, userId: UserId): void {
  if (requester.userId !== userId) {
    throw new MatrixError('M_FORBIDDEN', 'You may do this for yourself only');
  }
}
