// Makes the member event of a handshake from another server's template: of the template only what the room has to say is
// taken, and only if it is what was asked for.

import { MatrixError } from '../../protocol/error.ts';
import { buildPdu, type EventReference } from '../../protocol/events/build.ts';
import { checkPduFormat } from '../../protocol/events/format.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import { isUserId, type RoomId, type UserId } from '../../protocol/identifiers.ts';
import { isJsonObject, isRawNumber, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import type { RoomVersionId, RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import { isRoomVersion, rulesOf } from '../../protocol/roomversions/table.ts';
import type { RoomserverContext } from '../context.ts';
import { BadAnswer } from './bad-answer.ts';

export interface Template {
  readonly roomVersion: RoomVersionId;
  readonly event: JsonObject;
}

export interface WantedMember {
  readonly roomId: RoomId;
  readonly userId: UserId;
  readonly membership: 'join' | 'leave' | 'knock';
  /** What the user wants in it besides. */
  readonly content: JsonObject;
}

/** Throws BadAnswer. */
export function memberEventFrom(
  context: Pick<RoomserverContext, 'clock' | 'serverName' | 'signingKey'>,
  template: Template,
  wanted: WantedMember,
): Pdu {
  checkTemplate(template, wanted);
  const { roomVersion, event } = template;
  const rules = rulesOf(roomVersion);
  const { roomId, userId } = wanted;
  const { clock, serverName, signingKey } = context;
  try {
    const pdu = buildPdu({
      rules,
      roomId,
      sender: userId,
      type: 'm.room.member',
      stateKey: userId,
      content: contentOf(template, wanted),
      prevEvents: event.prev_events as unknown as readonly EventReference[],
      authEvents: event.auth_events as unknown as readonly EventReference[],
      depth: depthOf(event),
      originServerTs: clock.now(),
      serverName,
      signingKey,
    });
    checkPduFormat(pdu.json, rules);
    return pdu;
  } catch (error) {
    if (error instanceof MatrixError) throw new BadAnswer(error.message);
    throw error;
  }
}

/** Throws BadAnswer. */
function checkTemplate(
  { roomVersion, event }: Template,
  { roomId, userId, membership }: WantedMember,
): void {
  if (!isRoomVersion(roomVersion)) throw new BadAnswer('the room version is unknown');
  const content = isJsonObject(event.content) ? event.content : {};
  const isAsked =
    event.type === 'm.room.member' &&
    event.room_id === roomId &&
    event.sender === userId &&
    event.state_key === userId &&
    content.membership === membership;
  if (!isAsked) throw new BadAnswer('the template is not of the event that was asked for');
  for (const list of [event.prev_events, event.auth_events]) {
    if (!isReferences(list, rulesOf(roomVersion))) {
      throw new BadAnswer('the template has no proper references');
    }
  }
}

/** Not that they lead anywhere, and no more than their kind: the rest is the check of the format. */
function isReferences(
  value: JsonValue | undefined,
  { eventFormat }: RoomVersionRules,
): value is JsonValue[] {
  if (!Array.isArray(value) || value.length === 0) return false;
  return value.every((entry) =>
    eventFormat === 'v1' ? Array.isArray(entry) : typeof entry === 'string',
  );
}

/** Old room versions take more than a number can say. */
function depthOf({ depth }: JsonObject): number {
  return isRawNumber(depth) ? Number.MAX_SAFE_INTEGER : (depth as number);
}

/** In the user's name only what she said; whom it names as authorising is for the room to say. */
function contentOf(
  { roomVersion, event }: Template,
  { membership, content }: WantedMember,
): JsonObject {
  const { join_authorised_via_users_server: _, ...wished } = content;
  const via = isJsonObject(event.content)
    ? event.content.join_authorised_via_users_server
    : undefined;
  const isNamed = membership === 'join' && rulesOf(roomVersion).restrictedJoins && isUserId(via);
  return {
    ...wished,
    membership,
    ...(isNamed && { join_authorised_via_users_server: via }),
  };
}
