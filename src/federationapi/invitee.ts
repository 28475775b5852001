// Who is invited: nobody waits for what nobody can accept.

import { MatrixError } from '../protocol/error.ts';
import { isUserId, serverNameOf } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { FederationapiContext } from './context.ts';

/** Throws M_FORBIDDEN ("The invite is not allowed") for users of this server who do not exist, or not any more. */
export async function checkInvitee(
  { userserver, serverName }: Pick<FederationapiContext, 'userserver' | 'serverName'>,
  { state_key: userId }: JsonObject,
): Promise<void> {
  if (!isUserId(userId) || serverNameOf(userId) !== serverName) return;
  const account = await userserver.queryAccount({ userId });
  if (account !== undefined && !account.isDeactivated) return;
  throw new MatrixError('M_FORBIDDEN', 'There is no such user to be invited');
}
