// How much is staged, by room and by the server that sent it; and whose turn it is.

import type { RoomId, ServerName } from '../../protocol/identifiers.ts';

/** Beyond these nothing more is staged: what is refused comes again as the past of later events. */
const MAX_OF_ORIGIN = 1000;
const MAX_OF_ROOM = 4000;
const MAX_IN_ALL = 40_000;

export class Backlog {
  /** A room's servers in the order of their turns. */
  readonly #rooms = new Map<RoomId, Map<ServerName, number>>();
  #total = 0;

  add(roomId: RoomId, origin: ServerName, count: number): void {
    if (count === 0) return;
    const origins = this.#rooms.get(roomId) ?? new Map<ServerName, number>();
    this.#rooms.set(roomId, origins);
    origins.set(origin, (origins.get(origin) ?? 0) + count);
    this.#total += count;
  }

  remove(roomId: RoomId, origin: ServerName, count: number): void {
    const origins = this.#rooms.get(roomId);
    const before = origins?.get(origin);
    if (origins === undefined || before === undefined) return;
    const left = Math.max(before - count, 0);
    this.#total -= before - left;
    if (left > 0) origins.set(origin, left);
    else origins.delete(origin);
    if (origins.size === 0) this.#rooms.delete(roomId);
  }

  /** How many more of the server's events may be staged for the room. */
  spaceFor(roomId: RoomId, origin: ServerName): number {
    const origins = this.#rooms.get(roomId);
    const ofRoom = [...(origins?.values() ?? [])].reduce((sum, count) => sum + count, 0);
    return Math.max(
      Math.min(
        MAX_OF_ORIGIN - (origins?.get(origin) ?? 0),
        MAX_OF_ROOM - ofRoom,
        MAX_IN_ALL - this.#total,
      ),
      0,
    );
  }

  /** Whose events of the room come next. */
  nextOrigin(roomId: RoomId): ServerName | undefined {
    return this.#rooms.get(roomId)?.keys().next().value;
  }

  /** Others have their turn before it is this server's again. */
  passTurn(roomId: RoomId, origin: ServerName): void {
    const origins = this.#rooms.get(roomId);
    const count = origins?.get(origin);
    if (origins === undefined || count === undefined) return;
    origins.delete(origin);
    origins.set(origin, count);
  }

  rooms(): Iterable<RoomId> {
    return this.#rooms.keys();
  }
}
