// What the endpoints of the Server-Server API may use.

import type { Clock } from '../clock.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { SigningKey } from '../protocol/signing-key.ts';
import type { UserserverApi } from '../userserver/api.ts';

export interface FederationapiContext {
  readonly userserver: Pick<UserserverApi, 'queryOpenIdToken'>;
  readonly serverName: ServerName;
  readonly signingKey: SigningKey;
  readonly clock: Clock;
  /** Of this program. */
  readonly version: string;
}
