// An endpoint by two examples: a call that succeeds, and one that is refused.

import type { Call } from '../api-client.ts';
import type { World } from '../world.ts';

export interface Refused extends Call {
  readonly status: number;
  /** Absent where the answer is no standard error. */
  readonly errcode?: string;
}

export interface Example {
  /** Whatever the call needs is made first; may be asked for again and again. Absent where none can succeed. */
  success?(world: World): Call | Promise<Call>;
  /** Absent where no call can be refused that reaches the endpoint. */
  refusal?(world: World): Refused | Promise<Refused>;
}

export type Examples = Readonly<Record<string, Example>>;

/** Refused as everything is that needs a token and has none. */
export const withoutToken = (call: Call = {}): Refused => ({
  ...call,
  as: null,
  status: 401,
  errcode: 'M_MISSING_TOKEN',
});
