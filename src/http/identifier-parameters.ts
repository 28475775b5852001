// Readers of the identifiers that stand in paths and queries.

import { Type } from 'typebox';
import {
  parseDeviceId,
  parseEventId,
  parseRoomAlias,
  parseRoomId,
  parseServerName,
  parseUserId,
} from '../protocol/identifiers.ts';
import { parsed } from './parameters.ts';

export const userId = () => parsed(parseUserId, Type.String({ pattern: '^@' }));
export const roomId = () => parsed(parseRoomId, Type.String({ pattern: '^!' }));
export const roomAlias = () => parsed(parseRoomAlias, Type.String({ pattern: '^#' }));
export const eventId = () => parsed(parseEventId, Type.String({ pattern: '^\\$' }));
export const deviceId = () => parsed(parseDeviceId, Type.String());
export const serverName = () => parsed(parseServerName, Type.String());
