// Waiting for something that nothing announces: bounded, since a test that spins for ever holds up the whole run.

/** Far more than the slowest machine and database need. */
const PATIENCE_MS = 50_000;

/** Looks once per turn of the event loop. `what`: what does not come about, for the error. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what = 'what the test waits for',
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
    await new Promise(setImmediate);
  }
}

/** As `until`, for a sign that `action` gives while it runs: fails when it is over without having given it. */
export async function untilDuring(
  action: Promise<unknown>,
  holds: () => boolean,
  what?: string,
): Promise<void> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  action.then(over, over);
  await until(() => isOver || holds(), what);
  if (isOver && !holds()) throw new Error(`over too early, with ${JSON.stringify(await action)}`);
}
