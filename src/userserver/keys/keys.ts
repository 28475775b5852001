// End-to-end encryption keys, put together.

import type { UserserverContext } from '../context.ts';
import { claimKeys } from './claim-keys.ts';
import { queryCrossSigningUpload, uploadCrossSigningKeys } from './cross-signing.ts';
import { claimForServer, devicesForServer, keysForServer } from './for-servers.ts';
import type { KeysApi } from './keys-api.ts';
import { queryKeys } from './query-keys.ts';
import { RemoteLists } from './remote-lists.ts';
import { receiveDeviceListUpdate, receiveSigningKeyUpdate } from './remote-updates.ts';
import type { RemoteUserKeys } from './remote-user-keys.ts';
import { uploadSignatures } from './signatures.ts';
import { uploadKeys } from './upload-keys.ts';

export interface RemoteParts {
  readonly keys: RemoteUserKeys;
  /** Resolves when what rooms have told so far of users of other servers is known. */
  readonly roomsConsumed: () => Promise<void>;
}

export function createKeys(
  context: UserserverContext,
  { keys: remote, roomsConsumed }: RemoteParts,
): KeysApi {
  const { keyCounts: counts } = context;
  const lists = new RemoteLists(context, remote);
  return {
    performUploadKeys: (request) => uploadKeys(context, counts, request),
    queryKeyCounts: (owner) => counts.get(owner),
    queryKeys: async (request) => {
      if ((request.followed ?? []).length > 0) await roomsConsumed();
      return await queryKeys(context, { remote, lists }, request);
    },
    performClaimKeys: (request) => claimKeys({ context, counts, remote }, request),
    queryCrossSigningUpload: (request) => queryCrossSigningUpload(context, request),
    performUploadCrossSigningKeys: (request) => uploadCrossSigningKeys(context, request),
    performUploadSignatures: (request) => uploadSignatures(context, request),
    queryDevicesForServer: ({ userId }) => devicesForServer(context, userId),
    queryKeysForServer: ({ wanted }) => keysForServer(context, wanted),
    performClaimKeysForServer: ({ wanted }) => claimForServer(context, wanted),
    performReceiveDeviceListUpdate: (request) => receiveDeviceListUpdate(context, lists, request),
    performReceiveSigningKeyUpdate: (request) => receiveSigningKeyUpdate(context, request),
  };
}
