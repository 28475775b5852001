// What differs between room versions, as named properties: code asks `rules.restrictedJoins`,
// never `version >= 8`. The table itself is in table.ts: each version = the previous + its differences.

export type RoomVersionId =
  | '1'
  | '2'
  | '3'
  | '4'
  | '5'
  | '6'
  | '7'
  | '8'
  | '9'
  | '10'
  | '11'
  | '12';

export interface RoomVersionRules {
  readonly id: RoomVersionId;
  readonly stability: 'stable' | 'unstable';
  /** v1: id in the event, references are [id, hashes] pairs; v3: standard base64 hash; v4: URL-safe base64 hash. */
  readonly eventFormat: 'v1' | 'v3' | 'v4';
  readonly stateResolution: 'v1' | 'v2' | 'v2.1';
  /** Canonical JSON is enforced: integers only, within ±(2^53-1) (6). */
  readonly strictCanonicalJson: boolean;
  /**
   * What depth may at most be: 2^63-1, or 2^53-1 where canonical JSON is enforced (6). A depth beyond
   * 2^53-1 is kept by its source text and read as 2^53-1.
   */
  readonly maxDepth: bigint;
  /** Key validity (`valid_until_ts`) is enforced when verifying events (5). */
  readonly enforceKeyValidity: boolean;
  /** m.room.aliases has special authorization rules, and redaction keeps `aliases` (until 5). */
  readonly specialAliasesEvents: boolean;
  /** `notifications` power levels are checked (6). */
  readonly checkNotificationLevels: boolean;
  /** Redactions are authorized when applied, not when received, since ids are hashes (3). */
  readonly redactionsCheckedOnApplication: boolean;
  readonly knocking: boolean;
  readonly restrictedJoins: boolean;
  readonly knockRestricted: boolean;
  /** Power levels must be integers, not strings (10). Floats are taken until 5: see `strictCanonicalJson`. */
  readonly integerPowerLevels: boolean;
  /** Redaction keeps `join_authorised_via_users_server` (9). */
  readonly redactionKeepsAuthorisedVia: boolean;
  /** Redaction keeps `allow` in join rules (8). */
  readonly redactionKeepsAllow: boolean;
  /**
   * Redaction drops `origin`, `membership` and `prev_state`, and keeps all of m.room.create, `invite` of
   * power levels, `redacts` of redactions and `third_party_invite.signed` of members (11).
   */
  readonly updatedRedaction: boolean;
  /** `redacts` of m.room.redaction is in `content`, not at the top level (11). */
  readonly redactsInContent: boolean;
  /** The creator is the sender of m.room.create, not `content.creator` (11). */
  readonly implicitCreator: boolean;
  /** Creators have power above all levels; `additional_creators` (12). */
  readonly privilegedCreators: boolean;
  /** The room id is the create event's reference hash, and m.room.create is not in auth_events (12). */
  readonly roomIdIsCreateEventId: boolean;
}
