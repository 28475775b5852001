// Events that a server relays before its answer to PUT /peek is stored here. Kept in memory: a start that a crash breaks
// off is begun anew, with a cut of its own.

import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';

/** Of one server for one room, and of all together: what comes beyond has to wait, and so has who sends it. */
const MAX_OF_SERVER = 1_000;
const MAX_IN_ALL = 10_000;

export class HeldPdus {
  readonly #rooms = new Map<RoomId, Map<ServerName, JsonObject[]>>();
  /** How many wait for something in each room. */
  readonly #waiting = new Map<RoomId, number>();
  #total = 0;

  /** From now on what these servers send of the room is held. */
  open(roomId: RoomId, servers: readonly ServerName[]): void {
    this.#waiting.set(roomId, (this.#waiting.get(roomId) ?? 0) + 1);
    const room = this.#rooms.get(roomId) ?? new Map<ServerName, JsonObject[]>();
    for (const server of servers) if (!room.has(server)) room.set(server, []);
    this.#rooms.set(roomId, room);
  }

  /** Whether they are held: if not, they are received in the common way. */
  hold(roomId: RoomId, origin: ServerName, pdus: readonly JsonObject[]): boolean {
    const held = this.#rooms.get(roomId)?.get(origin);
    if (held === undefined) return false;
    if (held.length + pdus.length > MAX_OF_SERVER) return false;
    if (this.#total + pdus.length > MAX_IN_ALL) return false;
    held.push(...pdus);
    this.#total += pdus.length;
    return true;
  }

  /** Oldest first, some at a time, all of one server. */
  take(
    roomId: RoomId,
    limit: number,
  ): { readonly origin: ServerName; readonly pdus: readonly JsonObject[] } | undefined {
    for (const [origin, held] of this.#rooms.get(roomId) ?? []) {
      if (held.length === 0) continue;
      const pdus = held.splice(0, limit);
      this.#total -= pdus.length;
      return { origin, pdus };
    }
    return undefined;
  }

  /** What is left when nobody waits any more is dropped. */
  close(roomId: RoomId): void {
    const others = (this.#waiting.get(roomId) ?? 1) - 1;
    this.#waiting.set(roomId, others);
    if (others > 0) return;
    this.#waiting.delete(roomId);
    for (const held of this.#rooms.get(roomId)?.values() ?? []) this.#total -= held.length;
    this.#rooms.delete(roomId);
  }
}
