// Which rooms of the published room directory a search asks for.

import type { PublicRoom, RoomserverApi } from '../api.ts';

type RoomsRequest = Parameters<RoomserverApi['queryPublicRooms']>[0];

export type RoomFilter = (room: PublicRoom) => boolean;

/** Undefined when every room will do. Text is looked for in name, topic and canonical alias, in any case of letters. */
export function roomFilter({ searchTerm, roomTypes }: RoomsRequest): RoomFilter | undefined {
  const term = foldCase(searchTerm ?? '');
  const types = new Set(roomTypes);
  if (term === '' && types.size === 0) return undefined;
  return (room) => {
    if (types.size > 0 && !types.has(room.room_type ?? null)) return false;
    const texts = [room.name, room.topic, room.canonical_alias];
    return term === '' || texts.some((text) => text !== undefined && foldCase(text).includes(term));
  };
}

/** Also makes one of the several ways to write an accented letter. */
function foldCase(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
