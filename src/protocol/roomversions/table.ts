// The room versions that Keyhole knows: each is the previous one plus its differences
// (specification, "Room Versions").

import type { RoomVersionId, RoomVersionRules } from './room-version.ts';

const v1: RoomVersionRules = {
  id: '1',
  stability: 'stable',
  eventFormat: 'v1',
  stateResolution: 'v1',
  strictCanonicalJson: false,
  maxDepth: 2n ** 63n - 1n,
  enforceKeyValidity: false,
  specialAliasesEvents: true,
  checkNotificationLevels: false,
  redactionsCheckedOnApplication: false,
  knocking: false,
  restrictedJoins: false,
  knockRestricted: false,
  integerPowerLevels: false,
  redactionKeepsAuthorisedVia: false,
  redactionKeepsAllow: false,
  updatedRedaction: false,
  redactsInContent: false,
  implicitCreator: false,
  privilegedCreators: false,
  roomIdIsCreateEventId: false,
};

const v2: RoomVersionRules = { ...v1, id: '2', stateResolution: 'v2' };

const v3: RoomVersionRules = {
  ...v2,
  id: '3',
  eventFormat: 'v3',
  redactionsCheckedOnApplication: true,
};

const v4: RoomVersionRules = { ...v3, id: '4', eventFormat: 'v4' };

const v5: RoomVersionRules = { ...v4, id: '5', enforceKeyValidity: true };

const v6: RoomVersionRules = {
  ...v5,
  id: '6',
  strictCanonicalJson: true,
  maxDepth: 2n ** 53n - 1n,
  specialAliasesEvents: false,
  checkNotificationLevels: true,
};

const v7: RoomVersionRules = { ...v6, id: '7', knocking: true };

const v8: RoomVersionRules = { ...v7, id: '8', restrictedJoins: true, redactionKeepsAllow: true };

const v9: RoomVersionRules = { ...v8, id: '9', redactionKeepsAuthorisedVia: true };

const v10: RoomVersionRules = { ...v9, id: '10', knockRestricted: true, integerPowerLevels: true };

const v11: RoomVersionRules = {
  ...v10,
  id: '11',
  updatedRedaction: true,
  redactsInContent: true,
  implicitCreator: true,
};

const v12: RoomVersionRules = {
  ...v11,
  id: '12',
  stateResolution: 'v2.1',
  privilegedCreators: true,
  roomIdIsCreateEventId: true,
};

const table: ReadonlyMap<string, RoomVersionRules> = new Map(
  [v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12].map((rules) => [rules.id, rules]),
);

/** All known room versions, oldest first. */
export const ROOM_VERSIONS: readonly RoomVersionId[] = [...table.values()].map(({ id }) => id);

export function isRoomVersion(text: unknown): text is RoomVersionId {
  return typeof text === 'string' && table.has(text);
}

export function rulesOf(id: RoomVersionId): RoomVersionRules {
  const rules = table.get(id);
  if (rules === undefined) throw new Error(`no such room version: ${id}`);
  return rules;
}
