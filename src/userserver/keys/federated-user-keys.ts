// Keys of users of other servers, asked of their servers.

import type { FederationClient } from '../../federation/api.ts';
import { FederationError } from '../../federation/federation-error.ts';
import { federationPath } from '../../federation/federation-path.ts';
import type { RemoteUserKeys } from './remote-user-keys.ts';

export function federatedUserKeys(client: Pick<FederationClient, 'request'>): RemoteUserKeys {
  return {
    query: ({ server: destination, wanted, timeoutMs }) =>
      client.request({
        destination,
        method: 'POST',
        path: '/_matrix/federation/v1/user/keys/query',
        body: { device_keys: wanted },
        timeoutMs,
      }),
    claim: ({ server: destination, wanted, timeoutMs }) =>
      client.request({
        destination,
        method: 'POST',
        path: '/_matrix/federation/v1/user/keys/claim',
        body: { one_time_keys: wanted },
        timeoutMs,
      }),
    devices: async ({ server: destination, userId, timeoutMs }) => {
      const path = federationPath`/_matrix/federation/v1/user/devices/${userId}`;
      try {
        return await client.request({ destination, method: 'GET', path, timeoutMs });
      } catch (error) {
        // Whom her own server does not know has no devices.
        const isUnknown = error instanceof FederationError && error.status === 404;
        if (isUnknown) return { user_id: userId, stream_id: 0, devices: [] };
        throw error;
      }
    },
  };
}
