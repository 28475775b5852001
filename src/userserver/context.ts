// What every part of the userserver works with. Built once, in userserver.ts.

import type { Clock } from '../clock.ts';
import type { Database, Transaction } from '../database/database.ts';
import type { EventLog } from '../eventlog/eventlog.ts';
import type { Logger } from '../logger.ts';
import type { ServerName, UserId } from '../protocol/identifiers.ts';
import type { UserserverConfig } from './config.ts';
import type { KeyCountCache } from './keys/key-counts.ts';
import type { WriteChanges } from './output.ts';
import type { PasswordHasher } from './password-hasher.ts';
import type { RemoteProfiles } from './remote-profiles.ts';
import type { TokenOwners } from './token-owners.ts';

export interface UserserverContext {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly config: UserserverConfig;
  readonly write: WriteChanges;
  readonly passwords: PasswordHasher;
  readonly tokenOwners: TokenOwners;
  readonly remoteProfiles: RemoteProfiles;
  readonly keyCounts: KeyCountCache;
}

/** Keeps data of users in memory. */
export interface UserCaches {
  /** After COMMIT of `tx` the user's data is read anew. */
  forgetAfterCommit(tx: Transaction, userId: UserId): void;
}
