// The handshakes by which users of other servers come into our rooms and leave them, and by which ours are invited.

import type { RoomserverContext } from '../context.ts';
import type { ServingApi } from '../serving-api.ts';
import { acceptInvite } from './accept-invite.ts';
import { acceptMembership } from './accept-membership.ts';
import { makeMembership } from './make-membership.ts';

export function createHandshakesApi(
  context: RoomserverContext,
): Pick<ServingApi, 'performMakeMembership' | 'performAcceptMembership' | 'performAcceptInvite'> {
  return {
    performMakeMembership: (request) => makeMembership(context, request),
    performAcceptMembership: (request) => acceptMembership(context, request),
    performAcceptInvite: (request) => acceptInvite(context, request),
  };
}
