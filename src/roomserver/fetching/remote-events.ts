// What the receive pipeline lacks, asked of the other servers of the room.

import type { Clock } from '../../clock.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { RoomserverContext } from '../context.ts';
import type { MissingEvents } from '../input/missing-events.ts';
import { AnswerBudget } from './answer-budget.ts';
import type { Asker } from './asker.ts';
import { fetchAuthEvents } from './fetch-auth-events.ts';
import { fetchGap } from './fetch-gap.ts';
import { fetchState } from './fetch-state.ts';
import type { OfRoom } from './given-pdus.ts';

/** `contextOf`: the context, of which this is a part itself. */
export function createRemoteEvents(
  contextOf: () => RoomserverContext,
  asker: Asker,
  clock: Clock,
): MissingEvents {
  const budget = new AnswerBudget(clock);
  return {
    gap: async (request) => {
      const room = await roomOf(contextOf(), request.roomId);
      if (room === undefined) return { events: [], isFinal: true };
      return fetchGap(contextOf(), asker, { request, room });
    },
    authEvents: async (request) => {
      const room = await roomOf(contextOf(), request.roomId);
      return room === undefined ? [] : fetchAuthEvents(contextOf(), asker, { request, room });
    },
    stateBefore: async (request) => {
      const room = await roomOf(contextOf(), request.roomId);
      return room && fetchState(contextOf(), asker, { request, room, budget });
    },
  };
}

async function roomOf({ rooms }: RoomserverContext, roomId: RoomId): Promise<OfRoom | undefined> {
  const head = await rooms.head(roomId);
  return head && { roomId, rules: rulesOf(head.roomVersion) };
}
