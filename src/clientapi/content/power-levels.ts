// Content of m.room.power_levels that a client wants to set: levels are integers. (Room versions below 10
// also knew levels as text; what is there may be sent again.)

import { MatrixError } from '../../protocol/error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/json.ts';

const LEVELS = [
  'ban',
  'events_default',
  'invite',
  'kick',
  'redact',
  'state_default',
  'users_default',
];

const TABLES = ['events', 'notifications', 'users'];

/** Throws M_BAD_JSON. */
export function checkPowerLevels(content: JsonObject): void {
  for (const key of LEVELS) checkLevel(key, content[key]);
  for (const key of TABLES) checkTable(key, content[key]);
}

function checkTable(key: string, table: JsonValue | undefined): void {
  if (table === undefined) return;
  if (!isJsonObject(table)) throw new MatrixError('M_BAD_JSON', `'${key}' must be an object`);
  for (const [name, level] of Object.entries(table)) checkLevel(`${key}.${name}`, level);
}

function checkLevel(key: string, level: JsonValue | undefined): void {
  if (level === undefined || Number.isSafeInteger(level)) return;
  if (typeof level === 'string' && /^\s*[+-]?\d{1,15}\s*$/.test(level)) return;
  throw new MatrixError('M_BAD_JSON', `'${key}' must be an integer`);
}
