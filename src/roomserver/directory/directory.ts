// The published room directory, and summaries of rooms.

import type { PublicRoom, RoomserverApi } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { isHere } from '../membership/is-here.ts';
import { queryPublicRooms } from './public-rooms.ts';
import { publish, queryPublished } from './publishing.ts';
import { queryRemotePublicRooms } from './remote-public-rooms.ts';
import { RoomSummaries, type SummarySource } from './room-summaries.ts';

export function createDirectoryApi(
  context: RoomserverContext,
): Pick<
  RoomserverApi,
  | 'performPublish'
  | 'queryPublished'
  | 'queryPublicRooms'
  | 'queryRemotePublicRooms'
  | 'queryRoomSummaries'
> {
  const summaries = new RoomSummaries(context);
  return {
    performPublish: (request) => publish(context, request),
    queryPublished: (request) => queryPublished(context, request),
    queryPublicRooms: (request) => queryPublicRooms({ ...context, summaries }, request),
    queryRemotePublicRooms: (request) => queryRemotePublicRooms(context, request),
    queryRoomSummaries: (request) => queryRoomSummaries({ ...context, summaries }, request),
  };
}

async function queryRoomSummaries(
  { rooms, summaries }: Pick<RoomserverContext, 'rooms'> & { readonly summaries: RoomSummaries },
  { roomIds }: Parameters<RoomserverApi['queryRoomSummaries']>[0],
): Promise<PublicRoom[]> {
  const sources: SummarySource[] = [];
  for (const roomId of roomIds) {
    const head = await rooms.head(roomId);
    if (isHere(head)) sources.push(head);
  }
  return summaries.of(sources);
}
