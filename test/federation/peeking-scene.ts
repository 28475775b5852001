// What tests of looking across servers have in common.

import type { TestClient } from '../client.ts';
import { until } from '../until.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into responses of every shape
export type Body = any;

export const WORLD_READABLE = {
  preset: 'public_chat',
  initial_state: [
    { type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } },
  ],
};

export const roomPath = (roomId: string) => `/v3/rooms/${encodeURIComponent(roomId)}`;

export async function peek(client: TestClient, roomIdOrAlias: string, via: readonly string[]) {
  return client.call('POST', `/v3/peek/${encodeURIComponent(roomIdOrAlias)}`, { servers: via });
}

/** Throws unless it succeeds. */
export async function peekOk(client: TestClient, roomId: string, ...via: string[]): Promise<void> {
  const { status, body } = await peek(client, roomId, via);
  if (status !== 200) throw new Error(`peek: ${status} ${JSON.stringify(body)}`);
}

export function bodiesIn(section: Body): string[] {
  return (section?.timeline?.events ?? []).map((event: Body) => event.content.body).filter(Boolean);
}

export interface Watched {
  readonly seen: readonly string[];
  readonly since: string;
}

/** Follows the device's /sync until a message has come by `rooms.peek`: all messages seen, in order. */
export async function watch(
  client: TestClient,
  roomId: string,
  since: string,
  text: string,
): Promise<Watched> {
  const seen: string[] = [];
  let next = since;
  await until(async () => {
    const answer = await client.sync({ since: next, timeout: '500' });
    next = answer.next_batch;
    seen.push(...bodiesIn(answer.rooms?.peek?.[roomId]));
    return seen.includes(text);
  }, `"${text}" in the peeked room`);
  return { seen, since: next };
}

/** Follows the device's /sync until the room stands in the section: what stands there. */
export async function section(
  client: TestClient,
  since: string,
  [name, roomId]: readonly [string, string],
): Promise<{ found: Body; since: string }> {
  let next = since;
  let found: Body;
  await until(async () => {
    const answer = await client.sync({ since: next, timeout: '500' });
    next = answer.next_batch;
    found = answer.rooms?.[name]?.[roomId];
    return found !== undefined;
  }, `the room in rooms.${name}`);
  return { found, since: next };
}
