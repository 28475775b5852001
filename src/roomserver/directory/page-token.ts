// Pagination tokens of the published room directory: a place between two rooms and the way to go from there.

import { MatrixError } from '../../protocol/error.ts';
import { isRoomId } from '../../protocol/identifiers.ts';
import type { Place } from '../store/published.ts';

export interface PageToken {
  readonly direction: 'forward' | 'backward';
  readonly place: Place;
}

const NO_ROOM = '!' as Place['roomId'];

/** Where a way begins that goes through the whole list: listed rooms have at least one member. */
const WHOLE: Readonly<Record<PageToken['direction'], PageToken>> = {
  forward: {
    direction: 'forward',
    place: { joinedMembers: Number.MAX_SAFE_INTEGER, roomId: NO_ROOM },
  },
  backward: { direction: 'backward', place: { joinedMembers: 0, roomId: NO_ROOM } },
};

export function fromBeginning(): PageToken {
  return WHOLE.forward;
}

/** From a room, or through the whole list. */
export function encodePageToken(direction: PageToken['direction'], place?: Place): string {
  const at = place === undefined ? '' : `${place.joinedMembers}${place.roomId}`;
  return Buffer.from(`${direction.charAt(0)}${at}`).toString('base64url');
}

const DIRECTIONS = { f: 'forward', b: 'backward' } as const;
const TOKEN = /^([fb])(?:(\d{1,15})(!.+))?$/s;

/** Throws M_INVALID_PARAM. */
export function parsePageToken(token: string): PageToken {
  const match = TOKEN.exec(Buffer.from(token, 'base64url').toString());
  const [, letter, members, roomId] = match ?? [];
  if (letter !== undefined) {
    const direction = DIRECTIONS[letter as keyof typeof DIRECTIONS];
    if (members === undefined) return WHOLE[direction];
    if (isRoomId(roomId)) return { direction, place: { joinedMembers: Number(members), roomId } };
  }
  throw new MatrixError('M_INVALID_PARAM', 'Not a pagination token of this list');
}
