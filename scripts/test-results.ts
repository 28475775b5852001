// A reporter for node's test runner: JSON with the totals, and by name what failed and what was skipped.

import type { TestEvent } from 'node:test/reporters';

export interface TestResults {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly string[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const failures: string[] = [];
  const skipped: { name: string; reason: string }[] = [];
  let passed = 0;
  let failed = 0;
  for await (const event of events) {
    if (event.type === 'test:fail') failures.push(event.data.name);
    if (event.type === 'test:pass' && event.data.skip !== undefined) {
      const { name, skip } = event.data;
      skipped.push({ name, reason: typeof skip === 'string' ? skip : 'no reason given' });
    }
    if (event.type === 'test:summary' && event.data.file === undefined) {
      const { counts } = event.data;
      passed = counts.passed;
      failed = counts.tests - counts.passed - counts.skipped - counts.todo;
    }
  }
  yield JSON.stringify({ passed, failed, failures, skipped } satisfies TestResults);
}
