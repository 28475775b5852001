// Account data: what its owner may not write directly, and how it is read.

import { type Reply, reply } from '../http/reply.ts';
import { MatrixError } from '../protocol/error.ts';
import type { RoomId, UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { ClientapiContext } from './context.ts';
import { usersVisible } from './visible.ts';
import { withoutUndefined } from './without-undefined.ts';

/** Account data that other endpoints keep. */
const SERVERS_OWN = new Set(['m.fully_read', 'm.push_rules']);

interface Place {
  readonly userId: UserId;
  readonly roomId?: RoomId;
  readonly type: string;
}

export async function setAccountDataAt(
  context: ClientapiContext,
  place: Place,
  content: JsonObject,
): Promise<object | Reply> {
  if (SERVERS_OWN.has(place.type)) return refusal(place.type);
  const written = await context.userserver.performSetAccountData({ ...place, content });
  await usersVisible(context, written);
  return {};
}

/** 405 goes with M_BAD_JSON here and nowhere else. */
function refusal(type: string): Reply {
  const error = `${type} cannot be set by way of account data`;
  return reply({ status: 405, body: { errcode: 'M_BAD_JSON', error } });
}

/** Throws M_NOT_FOUND. */
export async function getAccountDataAt(
  { userserver }: ClientapiContext,
  place: Place,
): Promise<JsonObject> {
  const isPushRules = place.roomId === undefined && place.type === 'm.push_rules';
  const content = isPushRules
    ? await userserver.queryPushRules({ userId: place.userId })
    : await userserver.queryAccountData(withoutUndefined(place));
  if (content === undefined) throw new MatrixError('M_NOT_FOUND', 'No such account data');
  return content;
}
