// Some at a time: what there is to do may be as much as strangers like.

import { giveWay } from '../../give-way.ts';

/** So many begin in one piece of work. */
const PER_TURN = 4;

/** Results in the order of the items. The first that fails makes the whole fail, once what has begun has ended. */
export async function mapInParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  let turn = Promise.resolve();
  const worker = async () => {
    for (const [index, item] of queue) {
      if (index % PER_TURN === PER_TURN - 1) turn = turn.then(giveWay);
      await turn;
      results[index] = await work(item);
    }
  };
  const workers = Array.from({ length: Math.min(atOnce, items.length) }, worker);
  for (const { status, reason } of (await Promise.allSettled(workers)) as PromiseRejectedResult[]) {
    if (status === 'rejected') throw reason;
  }
  return results;
}
