// What other servers tell of the keys of their users.

import {
  isUserId,
  type ServerName,
  serverNameOf,
  type UserId,
} from '../../protocol/identifiers.ts';
import type { UserserverContext } from '../context.ts';
import type { KeysApi } from './keys-api.ts';
import type { RemoteUserKeys } from './remote-user-keys.ts';

type Update = Parameters<KeysApi['performReceiveDeviceListUpdate']>[0];
type Received = ReturnType<KeysApi['performReceiveDeviceListUpdate']>;

export async function receiveDeviceListUpdate(
  context: UserserverContext,
  _remote: RemoteUserKeys,
  update: Update,
): Received {
  const userId = userOf(update);
  if (userId === undefined) return { position: 0 };
  return await context.write(userId, async () => [{ kind: 'RemoteDeviceListChanged' }]);
}

export async function receiveSigningKeyUpdate(
  context: UserserverContext,
  update: Update,
): Received {
  const userId = userOf(update);
  if (userId === undefined) return { position: 0 };
  return await context.write(userId, async () => [{ kind: 'RemoteDeviceListChanged' }]);
}

/** Servers speak for their own users only. */
function userOf({
  origin,
  content,
}: {
  origin: ServerName;
  content: Update['content'];
}): UserId | undefined {
  const { user_id: userId } = content;
  return isUserId(userId) && serverNameOf(userId) === origin ? userId : undefined;
}
