// Who is missing from a state that arrived as a whole, since the keys of their servers could not be had just then. When they
// speak, their membership is verified as what their events rest on: then it counts, or they would never be heard.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { type LackingMember, replaceLackingMembers } from '../store/lacking-members.ts';

export class LackingMembers {
  readonly #rooms = new Map<RoomId, ReadonlyMap<string, EventId>>();

  constructor(stored: readonly LackingMember[]) {
    for (const [roomId, members] of Map.groupBy(stored, (member) => member.roomId))
      this.#set(roomId, members);
  }

  /** In the unit of work in which a whole state arrives. */
  replace(room: RoomDraft, members: readonly LackingMember[]): void {
    const { roomId } = room;
    if (members.length === 0 && !this.#rooms.has(roomId)) return;
    room.alsoWrite((tx) => replaceLackingMembers(tx, roomId, members));
    room.afterCommit(() => this.#set(roomId, members));
  }

  /** The state with those whom it lacks and on whom the event depends, as far as they are known by now. */
  async completed(
    room: RoomDraft,
    state: StateSnapshotId,
    { sender, type, stateKey, depth }: Pdu,
  ): Promise<StateSnapshotId> {
    const members = this.#rooms.get(room.roomId);
    if (members === undefined) return state;
    const users = new Set([sender, ...(type === 'm.room.member' && stateKey ? [stateKey] : [])]);
    let completed = state;
    for (const user of users) {
      const eventId = members.get(user);
      if (eventId === undefined) continue;
      if ((await room.states.get(state, 'm.room.member', user)) !== undefined) continue;
      const record = await room.event(eventId);
      const isUsable =
        record?.roomId === room.roomId &&
        record.standing !== 'rejected' &&
        record.pdu.type === 'm.room.member' &&
        record.pdu.stateKey === user &&
        // What is older has a state of its own, without her.
        record.pdu.depth < depth;
      if (!isUsable) continue;
      const entry = { type: 'm.room.member', stateKey: user, eventId };
      completed = await room.states.set(completed, [entry]);
    }
    return completed;
  }

  #set(roomId: RoomId, members: readonly LackingMember[]): void {
    if (members.length === 0) this.#rooms.delete(roomId);
    else this.#rooms.set(roomId, new Map(members.map(({ userId, eventId }) => [userId, eventId])));
  }
}
