// How far each topic has been consumed, as committed: what a sync answers with. Changes together with the
// caches beside it, after COMMIT, so that what is read in one turn of the event loop belongs together.

export interface Consumed {
  readonly rooms: number;
  readonly users: number;
  readonly receipts: number;
  readonly toDevice: number;
}

export class Positions implements Consumed {
  #consumed: Consumed;

  constructor(consumed: Consumed) {
    this.#consumed = consumed;
  }

  get rooms(): number {
    return this.#consumed.rooms;
  }

  get users(): number {
    return this.#consumed.users;
  }

  get receipts(): number {
    return this.#consumed.receipts;
  }

  get toDevice(): number {
    return this.#consumed.toDevice;
  }

  advance(stream: keyof Consumed, position: number): void {
    if (position > this.#consumed[stream])
      this.#consumed = { ...this.#consumed, [stream]: position };
  }
}
