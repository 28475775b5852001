// The published room directory, and summaries of rooms.

import type { PublicRoom, RoomserverApi } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { isHere } from '../membership/is-here.ts';
import { queryPublicRooms } from './public-rooms.ts';
import { publish, queryPublished } from './publishing.ts';
import { type SummarySource, summarizeRooms } from './room-summaries.ts';

export function createDirectoryApi(
  context: RoomserverContext,
): Pick<
  RoomserverApi,
  'performPublish' | 'queryPublished' | 'queryPublicRooms' | 'queryRoomSummaries'
> {
  return {
    performPublish: (request) => publish(context, request),
    queryPublished: (request) => queryPublished(context, request),
    queryPublicRooms: (request) => queryPublicRooms(context, request),
    queryRoomSummaries: (request) => queryRoomSummaries(context, request),
  };
}

async function queryRoomSummaries(
  context: RoomserverContext,
  { roomIds }: Parameters<RoomserverApi['queryRoomSummaries']>[0],
): Promise<PublicRoom[]> {
  const sources: SummarySource[] = [];
  for (const roomId of roomIds) {
    const head = await context.rooms.head(roomId);
    if (isHere(head)) sources.push(head);
  }
  return summarizeRooms(context, sources);
}
