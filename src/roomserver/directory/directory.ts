// The published room directory.

import type { RoomserverApi } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { queryPublicRooms } from './public-rooms.ts';
import { publish, queryPublished } from './publishing.ts';
import { queryRemotePublicRooms } from './remote-public-rooms.ts';
import { RoomSummaries } from './room-summaries.ts';

export function createDirectoryApi(
  context: RoomserverContext,
): Pick<
  RoomserverApi,
  'performPublish' | 'queryPublished' | 'queryPublicRooms' | 'queryRemotePublicRooms'
> {
  const summaries = new RoomSummaries(context);
  return {
    performPublish: (request) => publish(context, request),
    queryPublished: (request) => queryPublished(context, request),
    queryPublicRooms: (request) => queryPublicRooms({ ...context, summaries }, request),
    queryRemotePublicRooms: (request) => queryRemotePublicRooms(context, request),
  };
}
