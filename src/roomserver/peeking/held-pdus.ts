// Events that a server relays before its answer to PUT /peek is stored here. Kept in memory: a start that a crash breaks
// off is begun anew, with a cut of its own.

import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';

/** Of one server for one room: what comes beyond has to wait, and so has who sends it. */
const MAX_OF_SERVER = 1_000;
/** Likewise of all together, in characters. */
const MAX_IN_ALL = 64 * 1024 * 1024;
/** What each takes besides its text. */
const OVERHEAD = 1_000;

interface HeldPdu {
  readonly pdu: JsonObject;
  readonly size: number;
}

export class HeldPdus {
  readonly #rooms = new Map<RoomId, Map<ServerName, HeldPdu[]>>();
  /** How many wait for something in each room. */
  readonly #waiting = new Map<RoomId, number>();
  #total = 0;

  /** From now on what these servers send of the room is held. */
  open(roomId: RoomId, servers: readonly ServerName[]): void {
    this.#waiting.set(roomId, (this.#waiting.get(roomId) ?? 0) + 1);
    const room = this.#rooms.get(roomId) ?? new Map<ServerName, HeldPdu[]>();
    for (const server of servers) if (!room.has(server)) room.set(server, []);
    this.#rooms.set(roomId, room);
  }

  /** Whether they are held: if not, they are received in the common way. */
  hold(roomId: RoomId, origin: ServerName, pdus: readonly JsonObject[]): boolean {
    const held = this.#rooms.get(roomId)?.get(origin);
    if (held === undefined) return false;
    if (held.length + pdus.length > MAX_OF_SERVER) return false;
    const sized = pdus.map((pdu) => ({ pdu, size: JSON.stringify(pdu).length + OVERHEAD }));
    const size = sizeOf(sized);
    if (this.#total + size > MAX_IN_ALL) return false;
    held.push(...sized);
    this.#total += size;
    return true;
  }

  /** Oldest first, some at a time, all of one server. */
  take(
    roomId: RoomId,
    limit: number,
  ): { readonly origin: ServerName; readonly pdus: readonly JsonObject[] } | undefined {
    for (const [origin, held] of this.#rooms.get(roomId) ?? []) {
      if (held.length === 0) continue;
      const taken = held.splice(0, limit);
      this.#total -= sizeOf(taken);
      return { origin, pdus: taken.map(({ pdu }) => pdu) };
    }
    return undefined;
  }

  /** What is left when nobody waits any more is dropped. */
  close(roomId: RoomId): void {
    const others = (this.#waiting.get(roomId) ?? 1) - 1;
    this.#waiting.set(roomId, others);
    if (others > 0) return;
    this.#waiting.delete(roomId);
    for (const held of this.#rooms.get(roomId)?.values() ?? []) this.#total -= sizeOf(held);
    this.#rooms.delete(roomId);
  }
}

function sizeOf(held: readonly HeldPdu[]): number {
  return held.reduce((sum, { size }) => sum + size, 0);
}
