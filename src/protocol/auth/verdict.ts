// The outcome of the authorization rules. A rejection names the rule that decided, numbered as on the
// page of the event's own room version (`3.2` is "rule 3, point 2"), since numbers differ between versions.

export type Verdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly rule: string; readonly reason: string };

export const ALLOWED: Verdict = { allowed: true };

/** `reason` is for people and logs; it quotes no content of the event. */
export function rejected(rule: string, reason: string): Verdict {
  return { allowed: false, rule, reason };
}
