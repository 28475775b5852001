// Through whom we look into which rooms, as of what is committed.

import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import type { OutboundPeek } from '../store/outbound-peeks.ts';

export class WatchedRooms {
  readonly #peeks = new Map<RoomId, readonly OutboundPeek[]>();

  /** One of each server. */
  add(peek: OutboundPeek): void {
    const others = this.of(peek.roomId).filter(({ server }) => server !== peek.server);
    this.#peeks.set(peek.roomId, [...others, peek]);
  }

  remove({ roomId, server, peekId }: OutboundPeek): void {
    const left = this.of(roomId).filter((peek) => peek.server !== server || peek.peekId !== peekId);
    if (left.length === 0) this.#peeks.delete(roomId);
    else this.#peeks.set(roomId, left);
  }

  of(roomId: RoomId): readonly OutboundPeek[] {
    return this.#peeks.get(roomId) ?? [];
  }

  has(roomId: RoomId): boolean {
    return this.#peeks.has(roomId);
  }

  through(roomId: RoomId, server: ServerName): OutboundPeek | undefined {
    return this.of(roomId).find((peek) => peek.server === server);
  }

  rooms(): Iterable<RoomId> {
    return this.#peeks.keys();
  }
}
