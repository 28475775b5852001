// History visibility (Client-Server API, "Room History Visibility").

export type HistoryVisibility = 'invited' | 'joined' | 'shared' | 'world_readable';
