// What we know ourselves of a room, as a hierarchy shows it.

import { LRUCache } from 'lru-cache';
import { entries } from '../../lru-entries.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import type { SpaceChild, SpaceRoom } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { RoomSummaries } from '../directory/room-summaries.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { rootsOf } from '../state/snapshot.ts';
import { CHILD_TYPE, inOrder, readChild, SPACE_TYPE } from './space-child.ts';

/** Of the state of one space that are looked through. */
const MAX_ENTRIES = 50_000;
const MAX_CHILDREN = 1000;
const MAX_CACHED = 1000;

export class LocalSpaces {
  readonly #context: Pick<RoomserverContext, 'states' | 'events'>;
  readonly #summaries: RoomSummaries;
  /** By the id of the state without members, which is what it follows from. */
  readonly #childIds = new LRUCache<string, readonly EventId[]>(entries(MAX_CACHED));

  constructor(context: Pick<RoomserverContext, 'states' | 'events'>, summaries: RoomSummaries) {
    this.#context = context;
    this.#summaries = summaries;
  }

  async describe(head: RoomHead): Promise<SpaceRoom> {
    const summary = await this.#summaries.detailed(head);
    const children = summary.room_type === SPACE_TYPE ? await this.#childrenOf(head) : [];
    return { ...summary, children_state: children };
  }

  async #childrenOf(head: RoomHead): Promise<SpaceChild[]> {
    const loaded = await this.#context.events.load(await this.#childIdsOf(head));
    const children = [...loaded.values()].map(({ pdu }) =>
      readChild({
        type: pdu.type,
        state_key: pdu.stateKey ?? '',
        content: pdu.content,
        sender: pdu.sender,
        origin_server_ts: pdu.originServerTs,
      }),
    );
    return inOrder(children.filter((child) => child !== undefined)).slice(0, MAX_CHILDREN);
  }

  async #childIdsOf({ roomId, currentState }: RoomHead): Promise<readonly EventId[]> {
    const { rest } = rootsOf(currentState);
    const known = this.#childIds.get(rest);
    if (known !== undefined) return known;
    const states = this.#context.states.ofRoom(roomId);
    const entries = await states.entries(currentState, 'none', MAX_ENTRIES);
    const ids = entries.filter(({ type }) => type === CHILD_TYPE).map(({ eventId }) => eventId);
    this.#childIds.set(rest, ids);
    return ids;
  }
}
