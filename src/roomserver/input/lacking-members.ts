// Who is missing from a state that arrived as a whole, since the keys of their servers could not be had just then. When they
// speak, their membership is verified as what their events rest on: then it counts, or they would never be heard.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { authTypesFor } from '../../protocol/auth/auth-types.ts';
import type { Pdu, PduRecord } from '../../protocol/events/pdu.ts';
import { isUserId, type RoomId, type UserId } from '../../protocol/identifiers.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import {
  deleteLackingMembers,
  insertLackingMembers,
  type LackingMember,
} from '../store/lacking-members.ts';

export class LackingMembers {
  readonly #rooms = new Map<RoomId, ReadonlySet<UserId>>();

  constructor(stored: readonly LackingMember[]) {
    for (const [roomId, members] of Map.groupBy(stored, (member) => member.roomId))
      this.#rooms.set(roomId, new Set(members.map(({ userId }) => userId)));
  }

  /**
   * In the unit of work in which a whole state arrives without these member events. Who is in a later one stays known:
   * others may still go on from what came before it, which lacks her.
   */
  leftOut(room: RoomDraft, events: readonly PduRecord[]): void {
    if (events.length === 0) return;
    const { roomId } = room;
    const gone = usersOf(events.filter(isGone));
    const present = usersOf(events.filter((event) => !isGone(event)));
    room.alsoWrite(async (tx) => {
      await deleteLackingMembers(tx, roomId, gone);
      await insertLackingMembers(tx, roomId, present);
    });
    const known = () => this.#rooms.get(roomId) ?? new Set();
    // What follows in the same batch has to know; should it be rolled back, there is no state that lacks them.
    this.#rooms.set(roomId, known().union(new Set(present)));
    room.afterCommit(() => this.#rooms.set(roomId, known().difference(new Set(gone))));
  }

  /** After COMMIT of what ends the room. */
  forget(roomId: RoomId): void {
    this.#rooms.delete(roomId);
  }

  /** The state with those whom it lacks and on whom the event depends, as what the event rests on has them. */
  async completed(room: RoomDraft, state: StateSnapshotId, pdu: Pdu): Promise<StateSnapshotId> {
    const lacking = await this.#lackingIn(room, state, pdu);
    if (lacking.length === 0) return state;
    const cited = [...(await room.events(pdu.authEvents)).values()].filter(
      ({ roomId, standing }) => roomId === room.roomId && standing !== 'rejected',
    );
    const type = 'm.room.member';
    const added = lacking.flatMap((stateKey) => {
      const member = cited.find(({ pdu: one }) => one.type === type && one.stateKey === stateKey);
      return member ? [{ type, stateKey, eventId: member.pdu.eventId }] : [];
    });
    return added.length === 0 ? state : room.states.set(state, added);
  }

  async #lackingIn(room: RoomDraft, state: StateSnapshotId, pdu: Pdu): Promise<string[]> {
    const known: ReadonlySet<string> | undefined = this.#rooms.get(room.roomId);
    if (known === undefined) return [];
    const lacking: string[] = [];
    for (const { type, stateKey } of authTypesFor(pdu, room.rules)) {
      if (type !== 'm.room.member' || !known.has(stateKey)) continue;
      if ((await room.states.get(state, type, stateKey)) === undefined) lacking.push(stateKey);
    }
    return lacking;
  }
}

/** As an event has it that is not verified: who has left, or was banned, is not to be heard. */
export function isGone({ json: { content } }: PduRecord): boolean {
  return content.membership === 'leave' || content.membership === 'ban';
}

function usersOf(events: readonly PduRecord[]): UserId[] {
  return [...new Set(events.map(({ json }) => json.state_key).filter(isUserId))];
}
