// How many requests of one address are looked into at a time. To find out who has made one, the server that it claims to be of may have
// to be asked for its keys, which many cannot be at once: nobody takes the place of all others by claiming to be of servers
// that do not answer.

import { ConcurrencyLimit } from '../concurrency-limit.ts';

const OF_ADDRESS = { running: 10, waiting: 200 };

export class AddressTurns {
  /** Of those alone that have any. */
  readonly #addresses = new Map<string, { readonly limit: ConcurrencyLimit; count: number }>();

  /** `address`: see addressKey. Throws M_LIMIT_EXCEEDED. */
  async run<T>(address: string, task: () => Promise<T>): Promise<T> {
    const place = this.#addresses.get(address) ?? {
      limit: new ConcurrencyLimit(OF_ADDRESS),
      count: 0,
    };
    this.#addresses.set(address, place);
    place.count += 1;
    try {
      return await place.limit.run(task);
    } finally {
      place.count -= 1;
      if (place.count === 0) this.#addresses.delete(address);
    }
  }
}
