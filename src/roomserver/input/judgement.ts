// The outcome of a check by the authorization rules: allowed, or the rule that was broken.

import type { Verdict } from '../../protocol/auth/verdict.ts';

export interface Violation {
  readonly rule: string;
  readonly reason: string;
}

/** Undefined: allowed. */
export type Judgement = Violation | undefined;

export function judge(verdict: Verdict): Judgement {
  return verdict.allowed ? undefined : { rule: verdict.rule, reason: verdict.reason };
}
