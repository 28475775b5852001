// Keys of users of other servers, asked of their servers.

import type { FederationClient } from '../../federation/api.ts';
import { FederationError } from '../../federation/federation-error.ts';
import { federationPath } from '../../federation/federation-path.ts';
import type { WantedOneTimeKeys } from './keys-api.ts';
import type { RemoteUserKeys } from './remote-user-keys.ts';

/** Answers of very many servers are held at once. A device's keys are a kilobyte or two, a one-time key is less. */
const LEAST_BYTES = 256 * 1024;
const MOST_BYTES = 10 * 1024 * 1024;
const BYTES_OF_USER = 64 * 1024;
const BYTES_OF_CLAIM = 8 * 1024;

function mostBytes(bytes: number): number {
  return Math.min(LEAST_BYTES + bytes, MOST_BYTES);
}

function devicesIn(wanted: WantedOneTimeKeys): number {
  return Object.values(wanted).reduce((sum, devices) => sum + Object.keys(devices).length, 0);
}

export function federatedUserKeys(client: Pick<FederationClient, 'request'>): RemoteUserKeys {
  return {
    query: ({ server: destination, wanted, timeoutMs }) =>
      client.request({
        destination,
        method: 'POST',
        path: '/_matrix/federation/v1/user/keys/query',
        body: { device_keys: wanted },
        timeoutMs,
        maxBytes: mostBytes(Object.keys(wanted).length * BYTES_OF_USER),
      }),
    claim: ({ server: destination, wanted, timeoutMs }) =>
      client.request({
        destination,
        method: 'POST',
        path: '/_matrix/federation/v1/user/keys/claim',
        body: { one_time_keys: wanted },
        timeoutMs,
        maxBytes: mostBytes(devicesIn(wanted) * BYTES_OF_CLAIM),
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
