// m.device_list_update and m.signing_key_update: users of another server have other devices or cross-signing keys.

import type { FederationapiContext } from '../context.ts';
import { checkedUserOf, type ReceivedEdu } from './edu.ts';

export async function receiveDeviceListUpdate(
  { userserver }: FederationapiContext,
  { origin, content }: ReceivedEdu,
): Promise<void> {
  checkedUserOf(origin, content.user_id);
  await userserver.performReceiveDeviceListUpdate({ origin, content });
}

export async function receiveSigningKeyUpdate(
  { userserver }: FederationapiContext,
  { origin, content }: ReceivedEdu,
): Promise<void> {
  checkedUserOf(origin, content.user_id);
  await userserver.performReceiveSigningKeyUpdate({ origin, content });
}
