// What the rules of each membership are given.

import type { AuthCheck } from '../auth-check.ts';

export interface MemberCheck extends AuthCheck {
  /** The user whose membership the event sets: its state key. */
  readonly target: string;
}
