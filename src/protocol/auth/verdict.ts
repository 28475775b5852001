// The outcome of the authorization rules. A rejection names the rule that decided, numbered as on the
// page of the event's own room version (`3.2` is "rule 3, point 2"), since numbers differ between
// versions: rule-numbers.ts counts them. Where a rule says "allow if and only if" or nothing matched,
// it is the number of that very point ("Otherwise, reject").

export type Verdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly rule: string; readonly reason: string };

export const ALLOWED: Verdict = { allowed: true };
