// What a request to create a room asks for, as events in the order of the specification (POST /createRoom).

import { MatrixError } from '../../protocol/error.ts';
import {
  makeRoomAlias,
  type RoomAlias,
  type ServerName,
  serverNameOf,
  type UserId,
} from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { RoomVersionId, RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import { isRoomVersion, rulesOf } from '../../protocol/roomversions/table.ts';
import type { CreateRoomRequest } from '../api.ts';
import { initialPowerLevels } from './initial-power-levels.ts';
import { HISTORY_VISIBILITY, type Preset, presetOf } from './presets.ts';

export interface PlannedEvent {
  readonly type: string;
  readonly stateKey: string;
  readonly content: JsonObject;
}

export interface RoomPlan {
  readonly roomVersion: RoomVersionId;
  /** Of m.room.create. */
  readonly createContent: JsonObject;
  /** All that follows m.room.create. */
  readonly events: readonly PlannedEvent[];
  /** Of users of other servers, who have to be asked: once the room is there. */
  readonly invites: readonly { readonly target: UserId; readonly content: JsonObject }[];
  readonly alias: RoomAlias | undefined;
  /** That of `events` which names the alias: it leads to the room only once the room is there. */
  readonly canonicalAlias: PlannedEvent | undefined;
  readonly isPublished: boolean;
}

export interface PlanDefaults {
  readonly serverName: ServerName;
  readonly defaultRoomVersion: RoomVersionId;
}

/** Each is signed, and all are held under one lock. */
const MAX_EVENTS = 1000;

/**
 * Errors: M_UNSUPPORTED_ROOM_VERSION, M_INVALID_PARAM, M_FORBIDDEN for invites of other servers' users in `initial_state`,
 * M_TOO_LARGE.
 */
export function planRoom(request: CreateRoomRequest, defaults: PlanDefaults): RoomPlan {
  const { creator, roomAliasName, roomVersion = defaults.defaultRoomVersion } = request;
  if (!isRoomVersion(roomVersion)) {
    throw new MatrixError('M_UNSUPPORTED_ROOM_VERSION', 'This server does not know that version');
  }
  const rules = rulesOf(roomVersion);
  const preset = presetOf(request);
  const invitees = inviteesOf(request);
  const isLocal = (userId: UserId) => serverNameOf(userId) === defaults.serverName;
  const alias =
    roomAliasName === undefined ? undefined : makeRoomAlias(roomAliasName, defaults.serverName);
  const canonicalAlias = alias && state('m.room.canonical_alias', { alias });
  const events = [
    member(creator, { ...request.profiles[creator], membership: 'join' }),
    powerLevels(request, { rules, preset, invitees }),
    ...(canonicalAlias === undefined ? [] : [canonicalAlias]),
    ...chosenEvents(request, preset),
    ...invitees.filter(isLocal).map((userId) => member(userId, inviteContent(request, userId))),
  ];
  for (const event of events) checkInvitee(event, defaults.serverName);
  const invites = invitees
    .filter((userId) => !isLocal(userId))
    .map((target) => ({ target, content: inviteContent(request, target) }));
  if (events.length + invites.length > MAX_EVENTS) {
    throw new MatrixError('M_TOO_LARGE', `A room begins with at most ${MAX_EVENTS} events`);
  }
  return {
    roomVersion,
    createContent: createContent(request, { rules, preset, invitees }),
    events,
    invites,
    alias,
    canonicalAlias,
    isPublished: request.visibility === 'public',
  };
}

interface Choice {
  readonly rules: RoomVersionRules;
  readonly preset: Preset;
  readonly invitees: readonly UserId[];
}

/** Without duplicates and without the creator, who is there already. */
function inviteesOf({ creator, invite }: CreateRoomRequest): UserId[] {
  return [...new Set(invite)].filter((userId) => userId !== creator);
}

/** Invites may stand in `initial_state`, too: but not such as another server has to sign. */
function checkInvitee({ type, stateKey, content }: PlannedEvent, serverName: ServerName): void {
  if (type !== 'm.room.member' || content.membership !== 'invite') return;
  if (serverNameOf(stateKey as UserId) === serverName) return;
  const reason = 'users of other servers are invited by `invite` only';
  throw new MatrixError('M_FORBIDDEN', `${stateKey} cannot be invited: ${reason}`);
}

/** `creator` and `room_version` are the server's to say. */
function createContent(
  { creator, creationContent = {} }: CreateRoomRequest,
  { rules, preset, invitees }: Choice,
): JsonObject {
  const { creator: _, ...content } = creationContent;
  return {
    ...content,
    ...(rules.privilegedCreators && preset.isTrusting
      ? additionalCreators(content.additional_creators, invitees)
      : undefined),
    ...(rules.implicitCreator ? undefined : { creator }),
    room_version: rules.id,
  };
}

/** What is no list is left to the authorization rules to refuse. */
function additionalCreators(
  named: JsonObject[string],
  invitees: readonly UserId[],
): JsonObject | undefined {
  if (named !== undefined && !Array.isArray(named)) return undefined;
  const additional = [...new Set([...(named ?? []), ...invitees])];
  return additional.length === 0 ? undefined : { additional_creators: additional };
}

function powerLevels(
  { creator, powerLevelContentOverride: override = {} }: CreateRoomRequest,
  choice: Choice,
): PlannedEvent {
  return state('m.room.power_levels', initialPowerLevels({ ...choice, creator, override }));
}

/**
 * Those of the preset that `initial_state` does not set itself, then `initial_state` without what `name` and `topic`
 * overwrite, then these two.
 */
function chosenEvents(
  { initialState, name, topic }: CreateRoomRequest,
  preset: Preset,
): PlannedEvent[] {
  const named = [
    ...(name === undefined ? [] : [state('m.room.name', { name })]),
    ...(topic === undefined ? [] : [state('m.room.topic', topicContent(topic))]),
  ];
  const implied = presetEvents(preset).filter((event) => !isSetBy(initialState, event));
  return [...implied, ...initialState.filter((event) => !isSetBy(named, event)), ...named];
}

function presetEvents({ joinRule, guestAccess }: Preset): PlannedEvent[] {
  return [
    state('m.room.join_rules', { join_rule: joinRule }),
    state('m.room.history_visibility', { history_visibility: HISTORY_VISIBILITY }),
    state('m.room.guest_access', { guest_access: guestAccess }),
  ];
}

function isSetBy(events: readonly PlannedEvent[], { type, stateKey }: PlannedEvent): boolean {
  return events.some((other) => other.type === type && other.stateKey === stateKey);
}

function topicContent(topic: string): JsonObject {
  return { topic, 'm.topic': { 'm.text': [{ body: topic, mimetype: 'text/plain' }] } };
}

function inviteContent({ profiles, isDirect }: CreateRoomRequest, userId: UserId): JsonObject {
  return {
    ...profiles[userId],
    membership: 'invite',
    ...(isDirect === true && { is_direct: true }),
  };
}

function member(userId: UserId, content: JsonObject): PlannedEvent {
  return { type: 'm.room.member', stateKey: userId, content };
}

function state(type: string, content: JsonObject): PlannedEvent {
  return { type, stateKey: '', content };
}
