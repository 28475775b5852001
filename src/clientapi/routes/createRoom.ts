// POST /createRoom.

import type { Static } from 'typebox';
import { jsonObject, type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { MatrixError } from '../../protocol/error.ts';
import { makeRoomAlias, parseUserId, type UserId } from '../../protocol/identifiers.ts';
import type { CreateRoomRequest } from '../../roomserver/api.ts';
import { checkPowerLevels } from '../content/power-levels.ts';
import type { ClientapiContext } from '../context.ts';
import { identifierText } from '../identifier-text.ts';
import { memberProfiles } from '../member-profile.ts';
import { roomsVisible } from '../visible.ts';
import { withoutUndefined } from '../without-undefined.ts';

const stateEvent = Type.Object({
  type: Type.String(),
  state_key: Type.Optional(Type.String()),
  content: jsonObject,
});

const preset = Type.Union([
  Type.Literal('private_chat'),
  Type.Literal('public_chat'),
  Type.Literal('trusted_private_chat'),
]);

const body = Type.Object({
  visibility: Type.Optional(Type.Union([Type.Literal('public'), Type.Literal('private')])),
  room_alias_name: Type.Optional(Type.String()),
  name: Type.Optional(Type.String()),
  topic: Type.Optional(Type.String()),
  invite: Type.Optional(Type.Array(identifierText('user-id'))),
  invite_3pid: Type.Optional(Type.Array(jsonObject)),
  room_version: Type.Optional(Type.String()),
  creation_content: Type.Optional(jsonObject),
  initial_state: Type.Optional(Type.Array(stateEvent)),
  preset: Type.Optional(preset),
  is_direct: Type.Optional(Type.Boolean()),
  power_level_content_override: Type.Optional(jsonObject),
});

export function createRoom(context: ClientapiContext): Route {
  return route({
    operationId: 'createRoom',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/createRoom'],
    auth: 'user',
    rateLimit: 'roomCreation',
    errorStatus: { M_UNKNOWN: 400 },
    body,
    handler: async ({ requester, body: request }) => {
      checkRoom(context, request);
      const invite = (request.invite ?? []).map(parseUserId);
      const created = await context.roomserver.performCreateRoom({
        ...roomOf(request),
        creator: requester.userId,
        invite,
        profiles: await memberProfiles(context, [requester.userId, ...invite] as UserId[]),
      });
      await roomsVisible(context, created);
      return withoutUndefined({ room_id: created.roomId, room_alias: created.roomAlias });
    },
  });
}

/** What the schema cannot say. Throws M_INVALID_PARAM, M_BAD_JSON, M_THREEPID_DENIED. */
function checkRoom({ serverName }: ClientapiContext, request: Static<typeof body>): void {
  if (request.room_alias_name !== undefined) makeRoomAlias(request.room_alias_name, serverName);
  if ((request.invite_3pid ?? []).length > 0) {
    throw new MatrixError('M_THREEPID_DENIED', 'Third-party identifiers cannot be invited here');
  }
  if (request.power_level_content_override !== undefined) {
    checkPowerLevels(request.power_level_content_override);
  }
  for (const { type, content } of request.initial_state ?? []) {
    if (type === 'm.room.power_levels') checkPowerLevels(content);
  }
}

type RoomOfBody = Omit<CreateRoomRequest, 'creator' | 'invite' | 'profiles'>;

function roomOf(request: Static<typeof body>): RoomOfBody {
  return withoutUndefined({
    roomVersion: request.room_version,
    preset: request.preset,
    visibility: request.visibility,
    roomAliasName: request.room_alias_name,
    name: request.name,
    topic: request.topic,
    isDirect: request.is_direct,
    creationContent: request.creation_content,
    powerLevelContentOverride: request.power_level_content_override,
    initialState: (request.initial_state ?? []).map((event) => ({
      type: event.type,
      stateKey: event.state_key ?? '',
      content: event.content,
    })),
  });
}
