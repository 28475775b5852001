// Builds, authorizes and appends an event of a local user at the end of a room.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { authorizeAgainstState } from '../../protocol/auth/authorize.ts';
import { encodeCanonicalJson } from '../../protocol/canonical-json.ts';
import { MatrixError } from '../../protocol/error.ts';
import { buildPdu, type EventReference } from '../../protocol/events/build.ts';
import { MAX_PREV_EVENTS } from '../../protocol/events/limits.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { EventId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { TransactionKey } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { EventRecord } from '../event-record.ts';
import { stateBefore } from '../input/check-state-before.ts';
import { answerFor, checkHasSignature } from '../policy/need-signature.ts';
import { type AuthState, authStateFor } from '../rooms/auth-state.ts';
import { extendRoom } from '../rooms/extend-room.ts';
import { resolveSnapshots } from '../rooms/resolve-snapshots.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import type { Extremity } from '../rooms/room-head.ts';

export interface LocalEvent {
  readonly type: string;
  readonly sender: UserId;
  readonly stateKey?: string | undefined;
  readonly content: JsonObject;
  readonly redacts?: EventId | undefined;
  /** ms since the epoch; absent: now. */
  readonly originServerTs?: number | undefined;
  /** The client's transaction: remembered, and named in the log entry. */
  readonly transaction?: TransactionKey | undefined;
}

type Context = Pick<RoomserverContext, 'clock' | 'serverName' | 'signingKey'>;

/**
 * Appends the event to the draft: authorized against the draft's current state, signed, in the timeline, in the
 * log. A state event that changes nothing is not sent again: the one in force is returned.
 * Errors: M_FORBIDDEN with the rule, M_TOO_LARGE, M_BAD_JSON, and those of the room's policy server.
 */
export async function appendLocalEvent(
  context: Context,
  room: RoomDraft,
  event: LocalEvent,
): Promise<EventRecord> {
  const inForce = await unchangedState(room, event);
  const record = inForce ?? (await append(context, room, event));
  const { transaction } = event;
  if (transaction !== undefined) room.rememberTransaction(transaction, record.pdu.eventId);
  return record;
}

async function append(context: Context, room: RoomDraft, event: LocalEvent): Promise<EventRecord> {
  const built = await buildLocalEvent(context, room, event);
  const { serverName } = context;
  const { transaction } = event;
  return await extendRoom(room, {
    ...built,
    serverName,
    sendAs: serverName,
    transaction: transaction && { deviceId: transaction.deviceId, id: transaction.id },
  });
}

export interface BuiltEvent {
  readonly pdu: Pdu;
  readonly stateBefore: StateSnapshotId;
}

/**
 * The event as it would be appended: allowed, signed by us and by the room's policy server. Errors: as above, and those of the
 * policy server.
 */
export async function buildLocalEvent(
  context: Context,
  room: RoomDraft,
  event: LocalEvent,
): Promise<BuiltEvent> {
  const built =
    (await builtBefore(context, room, event)) ?? (await buildEvent(context, room, event));
  await checkHasSignature(room, built.pdu, event);
  return built;
}

/** The one that the policy server was asked to sign: the room may have gone on since. Throws why it did not sign it. */
async function builtBefore(
  context: Context,
  room: RoomDraft,
  event: LocalEvent,
): Promise<BuiltEvent | undefined> {
  const outcome = answerFor(room, event)?.outcome;
  if (outcome === undefined) return undefined;
  if (outcome instanceof MatrixError) throw outcome;
  const before = await stateBefore(room, outcome, new Map());
  if (before === undefined) return undefined;
  checkAuthorized(context, outcome, await authStateFor(room, room.head.currentState, outcome));
  return { pdu: outcome, stateBefore: before };
}

/** Without the policy server's signature: allowed, and signed by us. Errors: as of `appendLocalEvent`. */
export async function buildEvent(
  context: Context,
  room: RoomDraft,
  event: LocalEvent,
): Promise<BuiltEvent> {
  const prevEvents = choosePrevEvents(room.head.extremities);
  const before = await stateAfter(room, prevEvents);
  const { type, stateKey, sender, content } = event;
  const authState = await authStateFor(room, before, { type, stateKey, sender, content });
  const pdu = await build(context, room, { event, prevEvents, authState });
  checkAuthorized(context, pdu, authState);
  if (before !== room.head.currentState) {
    const current = await authStateFor(room, room.head.currentState, pdu);
    checkAuthorized(context, pdu, current);
  }
  return { pdu, stateBefore: before };
}

/** All extremities, or the latest ones where there are more than an event may name: the next events take the rest. */
function choosePrevEvents(extremities: readonly Extremity[]): readonly Extremity[] {
  if (extremities.length <= MAX_PREV_EVENTS) return extremities;
  return extremities.toSorted((a, b) => b.depth - a.depth).slice(0, MAX_PREV_EVENTS);
}

async function stateAfter(
  room: RoomDraft,
  prevEvents: readonly Extremity[],
): Promise<StateSnapshotId> {
  const { extremities, currentState } = room.head;
  if (prevEvents.length === extremities.length) return currentState;
  return resolveSnapshots(
    room,
    prevEvents.map((extremity) => extremity.stateAfter),
  );
}

interface Parts {
  readonly event: LocalEvent;
  readonly prevEvents: readonly Extremity[];
  readonly authState: AuthState;
}

async function build(
  { clock, serverName, signingKey }: Context,
  room: RoomDraft,
  { event, prevEvents, authState }: Parts,
): Promise<Pdu> {
  const { rules, roomId, head } = room;
  const isCreate = event.type === 'm.room.create' && head.createEventId === undefined;
  const ids = prevEvents.map(({ eventId }) => eventId);
  const depth = prevEvents.reduce((deepest, prev) => Math.max(deepest, prev.depth), 0) + 1;
  return buildPdu({
    rules,
    roomId: isCreate && rules.roomIdIsCreateEventId ? undefined : roomId,
    sender: event.sender,
    type: event.type,
    stateKey: event.stateKey,
    content: event.content,
    redacts: event.redacts,
    prevEvents: rules.eventFormat === 'v1' ? await references(room, ids) : ids,
    authEvents: authState.events,
    depth: Math.min(depth, Number.MAX_SAFE_INTEGER),
    originServerTs: event.originServerTs ?? clock.now(),
    serverName,
    signingKey,
  });
}

/** Room versions 1 and 2 write the hash of what they refer to, and so need the whole event. */
async function references(
  room: RoomDraft,
  ids: readonly EventId[],
): Promise<readonly EventReference[]> {
  const events = await room.events(ids);
  return ids.map((id) => {
    const record = events.get(id);
    if (record === undefined) throw new Error(`extremity ${id} of ${room.roomId} is not stored`);
    return record.pdu;
  });
}

/** Throws M_FORBIDDEN with the rule. */
export function checkAuthorized(
  { serverName }: Pick<Context, 'serverName'>,
  pdu: Pdu,
  state: AuthState,
): void {
  const verdict = authorizeAgainstState(pdu, state.lookup, {
    rules: state.rules,
    create: state.create,
    isSignedBy: (server) => server === serverName,
  });
  if (verdict.allowed) return;
  throw new MatrixError('M_FORBIDDEN', `Rule ${verdict.rule}: ${verdict.reason}`);
}

/** The event in force, when the new one would say the same. */
export async function unchangedState(
  room: RoomDraft,
  { type, stateKey, sender, content }: LocalEvent,
): Promise<EventRecord | undefined> {
  if (stateKey === undefined) return undefined;
  const current = await room.currentEvent(type, stateKey);
  if (current === undefined || current.pdu.sender !== sender) return undefined;
  const strict = { strict: room.rules.strictCanonicalJson };
  const isSame =
    encodeCanonicalJson(current.pdu.content, strict) === encodeCanonicalJson(content, strict);
  return isSame ? current : undefined;
}
