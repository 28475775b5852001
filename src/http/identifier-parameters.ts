// Path and query parameters that are identifiers. Malformed ones are M_INVALID_PARAM.

import { Type } from '../json-schema.ts';
import {
  type DeviceId,
  type EventId,
  isIdentifierText,
  isRoomAlias,
  isRoomId,
  type MediaId,
  parseDeviceId,
  parseEventId,
  parseRoomAlias,
  parseRoomId,
  parseServerName,
  parseUserId,
  type RoomAlias,
  type RoomId,
  type ServerName,
  type UserId,
} from '../protocol/identifiers.ts';
import { type Parameter, parsed } from './parameters.ts';

function identifier<T>(parse: (raw: string) => T | undefined, format: string): Parameter<T> {
  return parsed(parse, Type.String({ format }));
}

export const roomId = (): Parameter<RoomId> => identifier(parseRoomId, 'mx-room-id');
export const userId = (): Parameter<UserId> => identifier(parseUserId, 'mx-user-id');
export const eventId = (): Parameter<EventId> => identifier(parseEventId, 'mx-event-id');
export const roomAlias = (): Parameter<RoomAlias> => identifier(parseRoomAlias, 'mx-room-alias');
export const serverName = (): Parameter<ServerName> =>
  identifier(parseServerName, 'mx-server-name');
export const deviceId = (): Parameter<DeviceId> => identifier(parseDeviceId, 'mx-device-id');

export const roomIdOrAlias = (): Parameter<RoomId | RoomAlias> =>
  identifier((raw) => (isRoomId(raw) || isRoomAlias(raw) ? raw : undefined), 'mx-room-id-or-alias');

/** What the appendices allow in an `mxc://` URI: nothing that could leave a folder. */
export const mediaId = (): Parameter<MediaId> =>
  identifier(
    (raw) => (/^[A-Za-z0-9_-]{1,255}$/.test(raw) ? (raw as MediaId) : undefined),
    'mx-media-id',
  );

/** Event types, transaction ids, tags …: 1 to 255 bytes. */
export const shortText = (): Parameter<string> =>
  identifier((raw) => (raw !== '' && isIdentifierText(raw) ? raw : undefined), 'mx-short-text');

/** State keys: up to 255 bytes; the empty one may be left out of the path. */
export const stateKey = (): Parameter<string> => ({
  ...identifier((raw) => (isIdentifierText(raw) ? raw : undefined), 'mx-state-key'),
  whenAbsent: () => '',
});
