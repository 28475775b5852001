// Asking several servers at once. One that does not answer is a failure of its own, not of the request.

import type { ServerName } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';

export interface ServerAnswers {
  readonly answers: readonly { readonly server: ServerName; readonly body: JsonObject }[];
  /** As `failures` of /keys/query and /keys/claim. */
  readonly failures: JsonObject;
}

export async function askServers<T>(
  asked: ReadonlyMap<ServerName, T>,
  ask: (server: ServerName, wanted: T) => Promise<JsonObject>,
): Promise<ServerAnswers> {
  const servers = [...asked];
  const settled = await Promise.allSettled(servers.map(([server, wanted]) => ask(server, wanted)));
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
