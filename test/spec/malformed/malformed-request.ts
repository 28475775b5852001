// A request that is wrong in one point.

import type { Call } from '../api-client.ts';

export interface MalformedRequest {
  /** What is wrong with it. */
  readonly fault: string;
  /** Put into the call that would succeed. */
  readonly call: Call;
  /** Path parameters as they stand in the URL, percent-encoded or wrongly so. */
  readonly rawParams?: Readonly<Record<string, string>>;
  /** Further pairs of the query, likewise. */
  readonly rawQuery?: string;
  /** Which errcodes say so. Absent: the endpoint may not mind, but must not fail. */
  readonly errcodes?: readonly string[];
}
