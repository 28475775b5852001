// Tags of rooms (Client-Server API, "Room Tagging"): kept as one m.tag of account data per room.

import { MatrixError } from '../protocol/error.ts';
import {
  isJsonObject,
  isRawNumber,
  type JsonObject,
  type JsonValue,
  parseJsonExactly,
} from '../protocol/json.ts';
import { writeAccountData } from './account-data-limit.ts';
import type { UserserverApi, Written } from './api.ts';
import type { UserserverContext } from './context.ts';
import { selectAccountData } from './store/account-data.ts';
import { lockAccount } from './store/accounts.ts';

export const TAGS = 'm.tag';
const MAX_TAG_BYTES = 255;
const MAX_CONTENT_BYTES = 65_536;

export async function setTag(
  context: UserserverContext,
  request: Parameters<UserserverApi['performSetTag']>[0],
): Promise<Written> {
  const { userId, roomId, tag, content } = request;
  checkTag(tag, content);
  const key = { userId, roomId, type: TAGS };
  return context.write(userId, async (tx) => {
    await lockAccount(tx, userId);
    const before = tagsOf(await selectAccountData(tx, key));
    if (content === undefined && !Object.hasOwn(before, tag)) return [];
    const { [tag]: _, ...others } = before;
    const tags = content === undefined ? others : { ...others, [tag]: content };
    await writeAccountData(tx, key, serialize(tags));
    return [{ kind: 'AccountDataChanged', roomId, type: TAGS }];
  });
}

function tagsOf(content: string | undefined): JsonObject {
  const parsed = content === undefined ? undefined : (parseJsonExactly(content) as JsonObject);
  return isJsonObject(parsed?.tags) ? parsed.tags : {};
}

function serialize(tags: JsonObject): string {
  const text = JSON.stringify({ tags });
  if (Buffer.byteLength(text) > MAX_CONTENT_BYTES) {
    throw new MatrixError('M_TOO_LARGE', 'The room has too many tags');
  }
  return text;
}

function checkTag(tag: string, content: JsonObject | undefined): void {
  if (tag === '' || Buffer.byteLength(tag) > MAX_TAG_BYTES) {
    throw new MatrixError('M_INVALID_PARAM', `Tags have 1 to ${MAX_TAG_BYTES} bytes`);
  }
  if (content?.order !== undefined && !isOrder(content.order)) {
    throw new MatrixError('M_INVALID_PARAM', 'The order of a tag is a number from 0 to 1');
  }
}

function isOrder(value: JsonValue): boolean {
  const order = isRawNumber(value) ? Number(value.rawJSON) : value;
  return typeof order === 'number' && order >= 0 && order <= 1;
}
