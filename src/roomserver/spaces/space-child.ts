// The m.space.child events of a space, as other servers and clients are told of them (Client-Server API, "Spaces").

import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import { isRoomId, isServerName, isUserId } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject } from '../../protocol/json.ts';
import type { SpaceChild } from '../api.ts';

export const SPACE_TYPE = 'm.space';
export const CHILD_TYPE = 'm.space.child';

/** Undefined for what is none, or was taken out of the space. */
export function readChild(json: JsonObject): SpaceChild | undefined {
  const { type, state_key: roomId, content, sender, origin_server_ts: ts } = json;
  if (type !== CHILD_TYPE || !isRoomId(roomId) || !isUserId(sender)) return undefined;
  if (!isJsonObject(content) || typeof ts !== 'number') return undefined;
  const child = {
    type: CHILD_TYPE,
    state_key: roomId,
    content,
    sender,
    origin_server_ts: ts,
  } as const;
  return viaOf(child).length > 0 ? child : undefined;
}

export function viaOf({ content: { via } }: Pick<SpaceChild, 'content'>): readonly ServerName[] {
  return Array.isArray(via) ? via.filter(isServerName) : [];
}

export function isSuggested({ content }: SpaceChild): boolean {
  return content.suggested === true;
}

/** "Ordering of children within a space". */
export function inOrder(children: readonly SpaceChild[]): SpaceChild[] {
  return children.toSorted((one, other) => {
    const [first, second] = [orderOf(one), orderOf(other)];
    return (
      compare(first === undefined, second === undefined) ||
      compare(first ?? '', second ?? '') ||
      compare(one.origin_server_ts, other.origin_server_ts) ||
      compare<RoomId>(one.state_key, other.state_key)
    );
  });
}

function orderOf({ content: { order } }: SpaceChild): string | undefined {
  return typeof order === 'string' && /^[\x20-\x7e]{0,50}$/.test(order) ? order : undefined;
}

function compare<T extends string | number | boolean>(one: T, other: T): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
