// The roomserver's interface, by topic.

import { MatrixError } from '../protocol/error.ts';
import type { RoomserverApi } from './api.ts';
import { assemble, type RoomserverOptions } from './assemble.ts';
import type { RoomserverContext } from './context.ts';
import { forget } from './membership/forget.ts';
import { join } from './membership/join.ts';
import { knock } from './membership/knock.ts';
import { changeMembership } from './membership/membership-change.ts';
import { queryEvents } from './query/query-events.ts';
import { queryMemberships, queryPower, queryRoom, queryRoomsOfUser } from './query/query-rooms.ts';
import {
  queryStateAcross,
  queryStateDelta,
  queryStateEvents,
  queryStateIds,
} from './query/query-state.ts';
import { sendEvent } from './send/send-event.ts';
import { selectTransaction } from './store/transactions.ts';

export interface Roomserver {
  readonly api: RoomserverApi;
  /** Finishes what has begun and refuses what comes. */
  close(): Promise<void>;
}

export async function createRoomserver(options: RoomserverOptions): Promise<Roomserver> {
  const { context, close } = await assemble(options);
  return { api: apiOf(context), close };
}

export function apiOf(context: RoomserverContext): RoomserverApi {
  return { ...changes(context), ...queries(context), ...notYet };
}

function changes(context: RoomserverContext) {
  return {
    performSendEvent: (request) => sendEvent(context, request),
    performJoin: (request) => join(context, request),
    performKnock: (request) => knock(context, request),
    performMembershipChange: (request) => changeMembership(context, request),
    performForget: (request) => forget(context, request),
  } satisfies Partial<RoomserverApi>;
}

function queries(context: RoomserverContext) {
  return {
    queryRoom: ({ roomId }) => queryRoom(context, roomId),
    queryEvents: (request) => queryEvents(context, request),
    queryStateEvents: (request) => queryStateEvents(context, request),
    queryStateIds: (request) => queryStateIds(context, request),
    queryStateDelta: (request) => queryStateDelta(context, request),
    queryStateAcross: (request) => queryStateAcross(context, request),
    queryMemberships: (request) => queryMemberships(context, request),
    queryRoomsOfUser: (request) => queryRoomsOfUser(context, request),
    queryPower: (request) => queryPower(context, request),
    queryTransaction: async (key) => {
      const eventId = await selectTransaction(context.database, key);
      return eventId && { eventId };
    },
  } satisfies Partial<RoomserverApi>;
}

async function refuse(): Promise<never> {
  throw new MatrixError('M_UNRECOGNIZED', 'This is not built yet');
}

/** Creating rooms, peeking, the directory, purging and input. */
const notYet = {
  performCreateRoom: refuse,
  performPurge: refuse,
  performPeek: refuse,
  performUnpeek: refuse,
  queryAlias: refuse,
  queryAliases: refuse,
  performSetAlias: refuse,
  performDeleteAlias: refuse,
  queryPublished: refuse,
  performPublish: refuse,
  queryPublicRooms: refuse,
  queryRoomSummaries: refuse,
  inputEvents: refuse,
  inputState: refuse,
} satisfies Partial<RoomserverApi>;
