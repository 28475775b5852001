// Tests that take longer than anybody wants to wait for who has just changed something else: `.ci/run` runs them.

/** Options of such a test. */
export const long =
  process.env.KEYHOLE_TEST_LONG === undefined ? { skip: 'set KEYHOLE_TEST_LONG=1' } : {};
