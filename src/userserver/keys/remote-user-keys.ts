// Seam to the keys of users of other servers.

import { MatrixError } from '../../protocol/error.ts';
import type { ServerName, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { WantedKeys, WantedOneTimeKeys } from './keys-api.ts';

/** Each returns the body of the other server's answer as it came, or rejects. */
export interface RemoteUserKeys {
  /** `POST /user/keys/query`. */
  query(request: {
    readonly server: ServerName;
    readonly wanted: WantedKeys;
    readonly timeoutMs: number;
  }): Promise<JsonObject>;
  /** `POST /user/keys/claim`. */
  claim(request: {
    readonly server: ServerName;
    readonly wanted: WantedOneTimeKeys;
    readonly timeoutMs: number;
  }): Promise<JsonObject>;
  /** `GET /user/devices/{userId}`. */
  devices(request: {
    readonly server: ServerName;
    readonly userId: UserId;
    readonly timeoutMs: number;
  }): Promise<JsonObject>;
}

const unreachable = async (): Promise<never> => {
  throw new MatrixError('M_UNKNOWN', 'This server does not reach other servers');
};

export const noRemoteUserKeys: RemoteUserKeys = {
  query: unreachable,
  claim: unreachable,
  devices: unreachable,
};
