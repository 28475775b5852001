// The userserver, put together from its parts.

import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { EventLog } from '../eventlog/eventlog.ts';
import type { FederationClient } from '../federation/api.ts';
import type { Logger } from '../logger.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import { createAccountData } from './account-data.ts';
import { createAccounts } from './accounts.ts';
import type { UserserverApi } from './api.ts';
import { createBackupVersions } from './backups/backup-versions.ts';
import { createRoomKeys } from './backups/room-keys.ts';
import type { UserserverConfig } from './config.ts';
import { consumeRoomserverOutput } from './consumers/roomserver-output.ts';
import type { UserserverContext } from './context.ts';
import { createDevices } from './devices.ts';
import { createFilters } from './filters.ts';
import { createGuestUpgrade } from './guest-upgrade.ts';
import { federatedUserKeys } from './keys/federated-user-keys.ts';
import { KeyCountCache } from './keys/key-counts.ts';
import { createKeys, type RemoteParts } from './keys/keys.ts';
import { noRemoteUserKeys } from './keys/remote-user-keys.ts';
import { LastSeen } from './last-seen.ts';
import { createLogin } from './login.ts';
import { createOpenId } from './open-id.ts';
import { createWriteChanges } from './output.ts';
import { PasswordHasher } from './password-hasher.ts';
import { createProfiles } from './profiles.ts';
import { createPushRules } from './push-rules.ts';
import { createPushers } from './pushers.ts';
import { createRegistration } from './registration.ts';
import { RemoteProfiles } from './remote-profiles.ts';
import { createRoomSettings } from './room-settings.ts';
import { createSessions } from './sessions.ts';
import { migrations } from './store/migrations.ts';
import { TokenOwners } from './token-owners.ts';
import { createUia } from './uia.ts';

export interface UserserverOptions {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly config: UserserverConfig;
  /** Absent: nothing is asked of other servers. */
  readonly federation?: Pick<FederationClient, 'request'>;
}

/** How long is waited for what rooms tell of users, in ms. */
const CONSUMED_WITHIN_MS = 1_000;

export interface Userserver {
  readonly api: UserserverApi;
  close(): Promise<void>;
}

export async function createUserserver(options: UserserverOptions): Promise<Userserver> {
  const { database, clock, eventLog, logger, config } = options;
  await database.migrate('userserver', migrations);
  const context: UserserverContext = {
    ...options,
    write: createWriteChanges(database, eventLog),
    passwords: new PasswordHasher(config),
    tokenOwners: new TokenOwners(database, clock),
    remoteProfiles: new RemoteProfiles(options.federation, clock),
    keyCounts: new KeyCountCache(database),
  };
  const lastSeen = new LastSeen({ database, clock, logger });
  const { federation } = options;
  const remoteUserKeys = federation ? federatedUserKeys(federation) : noRemoteUserKeys;
  const rooms = eventLog.consume(consumeRoomserverOutput(context));
  const roomsConsumed = async () => {
    await rooms.reached(await eventLog.head('roomserver.output'), CONSUMED_WITHIN_MS);
  };
  return {
    api: createApi(context, { lastSeen, remote: { keys: remoteUserKeys, roomsConsumed } }),
    close: async () => {
      await rooms.close();
      await lastSeen.close();
    },
  };
}

function createApi(
  context: UserserverContext,
  parts: { readonly lastSeen: LastSeen; readonly remote: RemoteParts },
): UserserverApi {
  const pushRules = createPushRules(context);
  const accountData = createAccountData(context, pushRules.api.queryPushRules);
  return {
    ...createRegistration(context),
    ...createGuestUpgrade(context),
    ...createLogin(context),
    ...createSessions(context),
    ...createAccounts(context, [pushRules.rules, accountData.caches]),
    ...createUia(context.clock),
    ...createDevices(context, parts.lastSeen),
    ...createBackupVersions(context),
    ...createRoomKeys(context),
    ...createKeys(context, parts.remote),
    ...createProfiles(context),
    ...accountData.api,
    ...createFilters(context),
    ...pushRules.api,
    ...createRoomSettings(context, pushRules.rules),
    ...createPushers(context),
    ...createOpenId(context),
  };
}
