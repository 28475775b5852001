// Asking several servers at once. One that does not answer is a failure of its own, not of the request; so is each of very many.

import type { Clock } from '../../clock.ts';
import { ConcurrencyLimit } from '../../concurrency-limit.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';

/** For one request: clients ask for some hundred users at a time. */
const AT_ONCE = 50;
const MAX_SERVERS = 500;

export interface Asking<T> {
  readonly asked: ReadonlyMap<ServerName, T>;
  /** For all of them. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

export interface ServerAnswers {
  readonly answers: readonly { readonly server: ServerName; readonly body: JsonObject }[];
  /** As `failures` of /keys/query and /keys/claim. */
  readonly failures: JsonObject;
}

export async function askServers<T>(
  { asked, timeoutMs, clock }: Asking<T>,
  ask: (server: ServerName, wanted: T, timeoutMs: number) => Promise<JsonObject>,
): Promise<ServerAnswers> {
  const servers = [...asked];
  const limit = new ConcurrencyLimit({ running: AT_ONCE, waiting: MAX_SERVERS - AT_ONCE });
  const end = clock.now() + timeoutMs;
  const inTurn = ([server, wanted]: readonly [ServerName, T]) =>
    limit.run(() => ask(server, wanted, Math.max(end - clock.now(), 0)));
  const settled = await Promise.allSettled(servers.map(inTurn));
  const answers: { server: ServerName; body: JsonObject }[] = [];
  const failures: Record<string, JsonObject> = {};
  settled.forEach((result, index) => {
    const [server] = servers[index] as [ServerName, T];
    if (result.status === 'fulfilled') answers.push({ server, body: result.value });
    else failures[server] = failureOf(result.reason);
  });
  return { answers, failures };
}

export function failureOf(error: unknown): JsonObject {
  return { status: 503, message: error instanceof Error ? error.message : 'No answer' };
}
