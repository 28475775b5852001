// What is told now or never, by destination: in memory only, and gone when the destination does not answer.

import type { JsonObject } from '../../protocol/json.ts';

export type EduType = 'm.receipt' | 'm.typing' | 'm.presence';

export interface PassingEdu {
  readonly type: EduType;
  readonly content: JsonObject;
}

/** For all destinations together, and for one. What comes when it is full is lost. */
const MAX_EDUS = 200_000;
const MAX_OF_ONE = 500;

export class Outbox {
  readonly #edus = new Map<number, PassingEdu[]>();
  #size = 0;

  add(destinationId: number, edus: readonly PassingEdu[]): void {
    const waiting = this.#edus.get(destinationId) ?? [];
    const room = Math.min(MAX_OF_ONE - waiting.length, MAX_EDUS - this.#size);
    const taken = edus.slice(0, Math.max(room, 0));
    if (taken.length === 0) return;
    waiting.push(...taken);
    this.#size += taken.length;
    this.#edus.set(destinationId, waiting);
  }

  /** The first ones. */
  take(destinationId: number, limit: number): PassingEdu[] {
    const waiting = this.#edus.get(destinationId);
    if (waiting === undefined) return [];
    const taken = waiting.splice(0, limit);
    this.#size -= taken.length;
    if (waiting.length === 0) this.#edus.delete(destinationId);
    return taken;
  }

  drop(destinationId: number): void {
    this.#size -= this.#edus.get(destinationId)?.length ?? 0;
    this.#edus.delete(destinationId);
  }
}
