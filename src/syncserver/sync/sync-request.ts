// One /sync request while it is being answered.

import type { UserId } from '../../protocol/identifiers.ts';
import type { StateSection, Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import type { SyncFilter } from '../filter/sync-filter.ts';
import type { LiveDevice, LiveUser } from '../live/live-user.ts';
import type { SyncToken } from '../tokens.ts';
import type { LazySession } from './lazy-members.ts';

export interface SyncRequest {
  readonly context: SyncserverContext;
  readonly viewer: Viewer;
  readonly user: LiveUser;
  readonly device: Readonly<LiveDevice>;
  readonly filter: SyncFilter;
  /** What the device has been told; undefined: nothing. */
  readonly since: SyncToken | undefined;
  /** What it is told up to. */
  readonly now: SyncToken;
  readonly fullState: boolean;
  readonly stateSection: StateSection;
  readonly ignored: ReadonlySet<UserId>;
  readonly lazy: LazySession;
}
