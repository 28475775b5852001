// The roomserver's interface, by topic.

import { createAliasesApi } from './aliases/aliases.ts';
import type { RoomserverApi } from './api.ts';
import { assemble, type RoomserverOptions } from './assemble.ts';
import { followLookers } from './consumers/follow-lookers.ts';
import { followUsers } from './consumers/follow-users.ts';
import type { RoomserverContext } from './context.ts';
import { createCreationApi } from './creation/create-room.ts';
import { createDirectoryApi } from './directory/directory.ts';
import { createHandshakesApi } from './handshakes/handshakes.ts';
import { inputEvents } from './input/input-events.ts';
import { inputState } from './input/input-state.ts';
import { forget } from './membership/forget.ts';
import { join } from './membership/join.ts';
import { knock } from './membership/knock.ts';
import { changeMembership } from './membership/membership-change.ts';
import { createInboundPeekApi } from './peeking/inbound-peek.ts';
import { createPeekingApi } from './peeking/peeking.ts';
import { createPurgeApi } from './purge/purge.ts';
import { queryEvents } from './query/query-events.ts';
import { queryMemberships, queryPower, queryRoom, queryRoomsOfUser } from './query/query-rooms.ts';
import {
  queryStateAcross,
  queryStateDelta,
  queryStateEvents,
  queryStateIds,
} from './query/query-state.ts';
import { createReceivingApi } from './receiving/receiving.ts';
import { sendEvent } from './send/send-event.ts';
import { createReadingApi } from './serving/serving.ts';
import { createSpacesApi } from './spaces/spaces.ts';
import { selectTransaction } from './store/transactions.ts';
import { createUpgradeApi } from './upgrade/upgrade-room.ts';

export interface Roomserver {
  readonly api: RoomserverApi;
  /** Finishes what has begun and refuses what comes. */
  close(): Promise<void>;
}

export async function createRoomserver(options: RoomserverOptions): Promise<Roomserver> {
  const { context, close } = await assemble(options);
  const followed = [followUsers(context), await followLookers(context)];
  return {
    api: apiOf(context),
    close: async () => {
      for (const one of followed) await one.close();
      await close();
    },
  };
}

export function apiOf(context: RoomserverContext): RoomserverApi {
  return {
    ...createHandshakesApi(context),
    ...createReceivingApi(context),
    ...changes(context),
    ...queries(context),
    ...createCreationApi(context),
    ...createUpgradeApi(context),
    ...createAliasesApi(context),
    ...createDirectoryApi(context),
    ...createSpacesApi(context),
    ...createPeekingApi(context),
    ...createInboundPeekApi(context),
    ...createPurgeApi(context),
    ...createReadingApi(context),
  };
}

function changes(context: RoomserverContext) {
  return {
    performSendEvent: (request) => sendEvent(context, request),
    performJoin: (request) => join(context, request),
    performKnock: (request) => knock(context, request),
    performMembershipChange: (request) => changeMembership(context, request),
    performForget: (request) => forget(context, request),
    performBackfill: async (request) =>
      (await context.backfills?.backfill(request)) ?? { position: 0, isNew: false },
    inputEvents: (request) => inputEvents(context, request),
    inputState: (request) => inputState(context, request),
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
