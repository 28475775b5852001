// GET /sync: answers at once when there is something to tell, else waits for it.

import { MatrixError } from '../../protocol/error.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { StateSection, Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import { compileSyncFilter, type SyncFilter } from '../filter/sync-filter.ts';
import type { LiveDevice, LiveUser } from '../live/live-user.ts';
import { expirePeeks } from '../peeks/expire-peeks.ts';
import { noteSighting } from '../peeks/note-sighting.ts';
import { hadEndedAt, isActive } from '../peeks/peek-state.ts';
import { deletePeek, type Peek } from '../store/peeks.ts';
import { parseSyncToken, type SyncToken } from '../tokens.ts';
import { isRoomChanged } from './joined.ts';
import { syncResponse } from './response.ts';
import type { SyncRequest } from './sync-request.ts';
import { deleteAcknowledged, hasAcknowledged } from './to-device.ts';
import { waitForChange } from './wait.ts';

/** How long a token that is ahead of what has been consumed is waited for. */
const MAX_LAG_MS = 1_000;

export interface SyncOptions {
  readonly viewer: Viewer;
  readonly since?: string;
  /** ms. */
  readonly timeoutMs: number;
  readonly fullState: boolean;
  readonly filter: JsonObject;
  readonly stateSection: StateSection;
  readonly signal?: AbortSignal;
}

/** Errors: M_INVALID_PARAM, M_UNKNOWN_POS. */
export async function sync(context: SyncserverContext, options: SyncOptions): Promise<JsonObject> {
  const { viewer, timeoutMs, fullState, signal } = options;
  const since = options.since === undefined ? undefined : parseSyncToken(options.since);
  const filter = compileSyncFilter(options.filter);
  const { live } = context;
  const user = live.loadedUser(viewer.userId) ?? (await live.user(viewer.userId));
  if (since !== undefined) {
    await checkNotAhead(context, since);
    acknowledge(context, { viewer, user, since });
  }
  noteSighting(context, viewer, user);
  const mustAnswer = since === undefined || fullState;
  const deadline = context.clock.now() + (mustAnswer ? 0 : timeoutMs);
  const letGo = context.interest.deviceWaits(viewer.userId, viewer.deviceId);
  try {
    return await answer(context, { options, filter, since, deadline, signal });
  } finally {
    letGo();
  }
}

interface Waiting {
  readonly options: SyncOptions;
  readonly filter: SyncFilter;
  readonly since: SyncToken | undefined;
  /** ms since the epoch. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

async function answer(context: SyncserverContext, waiting: Waiting): Promise<JsonObject> {
  const { options, filter, since, deadline, signal } = waiting;
  const { live } = context;
  const { userId } = options.viewer;
  // Up to here there is nothing that this device would be told.
  let nothingUpTo = since;
  for (;;) {
    const user = live.loadedUser(userId) ?? (await live.user(userId));
    const overdue = user.overduePeeks(context.clock.now());
    if (overdue.length > 0) {
      await expirePeeks(context, overdue);
      continue;
    }
    // From here to the answer's start in one turn: version, positions and memory belong together.
    const { version } = user;
    const now = tokenFor(context, user.device(options.viewer.deviceId), since);
    const request = requestOf(context, { options, filter, since, now, user });
    const isOver = signal?.aborted === true || context.clock.now() >= deadline;
    if (isOver || options.fullState || mayHaveNews({ ...request, since: nothingUpTo })) {
      const ignored = new Set(await context.userserver.queryIgnoredUsers({ userId }));
      const response = await syncResponse({ ...request, ignored });
      if (!response.isEmpty || isOver || since === undefined || options.fullState)
        return response.body;
      nothingUpTo = now;
    }
    await waitForChange({
      user,
      deviceId: options.viewer.deviceId,
      version,
      clock: context.clock,
      until: Math.min(deadline, nextExpiry(request)),
      signal,
    });
  }
}

function requestOf(
  context: SyncserverContext,
  of: {
    readonly options: SyncOptions;
    readonly filter: SyncFilter;
    readonly since: SyncToken | undefined;
    readonly now: SyncToken;
    readonly user: LiveUser;
  },
): Omit<SyncRequest, 'ignored'> {
  const { viewer, since, fullState, stateSection } = of.options;
  return {
    context,
    viewer,
    user: of.user,
    device: of.user.device(viewer.deviceId),
    filter: of.filter,
    since: of.since,
    now: of.now,
    fullState,
    stateSection,
    lazy: context.lazyMembers.begin(viewer, since),
  };
}

/** As far as everything has been consumed. */
export function tokenOf(context: SyncserverContext, since: SyncToken | undefined): SyncToken {
  const { positions, typing, presence, epoch, clock } = context;
  return {
    rooms: positions.rooms,
    users: positions.users,
    receipts: positions.receipts,
    toDevice: positions.toDevice,
    typing: typing.version,
    presence: presence.version,
    epoch,
    time: Math.max(clock.now(), since?.time ?? 0),
  };
}

/** A clock that was set back brings no peek back to life. */
function tokenFor(
  context: SyncserverContext,
  { peeks }: Readonly<LiveDevice>,
  since: SyncToken | undefined,
): SyncToken {
  const token = tokenOf(context, since);
  const expired = peeks.filter(({ ending }) => ending === 'expiry');
  return { ...token, time: Math.max(token.time, ...expired.map((peek) => peek.expiryTs)) };
}

/** Cheap, and never wrong when it says no. */
function mayHaveNews({ context, user, device, since, now }: Omit<SyncRequest, 'ignored'>): boolean {
  if (since === undefined) return true;
  const presenceBefore = since.epoch === now.epoch ? since.presence : 0;
  if (user.latestAccountData > since.users || device.newestMessage > since.toDevice) return true;
  if (context.deviceLists.latest > since.users || now.presence > presenceBefore) return true;
  for (const room of user.rooms.values()) {
    if (isRoomChanged({ context, since, now }, room)) return true;
  }
  for (const history of user.memberships.values()) {
    if ((history.at(-1)?.position ?? 0) > since.rooms) return true;
  }
  return device.peeks.some(
    (peek) =>
      peek.via === 'sync' &&
      (peek.startedPosition > since.rooms || (hadEndedAt(peek, now) && !hadEndedAt(peek, since))),
  );
}

/** When a peek of the device ends by itself. */
function nextExpiry({ context, device }: Omit<SyncRequest, 'ignored'>): number {
  const now = context.clock.now();
  const active = device.peeks.filter((peek) => peek.via === 'sync' && isActive(peek, now));
  return Math.min(...active.map((peek) => peek.expiryTs));
}

/** A token from a database that has since been restored to an earlier state would hide what comes now. */
export async function checkNotAhead(context: SyncserverContext, since: SyncToken): Promise<void> {
  const { positions, clock } = context;
  const isAhead = () =>
    since.rooms > positions.rooms ||
    since.users > positions.users ||
    since.receipts > positions.receipts ||
    since.toDevice > positions.toDevice;
  if (!isAhead()) return;
  await new Promise<void>((resolve) => clock.schedule(MAX_LAG_MS, resolve));
  if (isAhead()) throw new MatrixError('M_UNKNOWN_POS', 'since is ahead of this server');
}

/** The device has come back: what it has been told need not be kept for it. */
function acknowledge(
  context: SyncserverContext,
  {
    viewer,
    user,
    since,
  }: { readonly viewer: Viewer; readonly user: LiveUser; readonly since: SyncToken },
): void {
  const device = user.device(viewer.deviceId);
  // The end of a short peek is told by /events.
  const ended = device.peeks.filter((peek) => peek.via === 'sync' && hadEndedAt(peek, since));
  const isTold = hasAcknowledged({ device, since });
  if (ended.length === 0 && !isTold) return;
  const cleaning = async () => {
    if (isTold) await deleteAcknowledged({ context, viewer, since });
    if (ended.length > 0) await deletePeeks(context, ended);
  };
  cleaning().catch((error) => {
    context.logger.warn({ err: error }, 'what a device has acknowledged could not be deleted');
  });
}

async function deletePeeks(context: SyncserverContext, peeks: readonly Peek[]): Promise<void> {
  await context.database.transact(async (tx) => {
    for (const peek of peeks) await deletePeek(tx, peek);
    tx.afterCommit(() => {
      for (const peek of peeks) context.live.change(peek.userId, (user) => user.removePeek(peek));
    });
  });
}
