// The load: senders in rooms of local members, some of whom long-poll. Speaks to any homeserver's URL.

import { Agent, request } from 'undici';

// biome-ignore lint/suspicious/noExplicitAny: responses of every shape
type Json = any;

export interface LoadShape {
  readonly rooms: number;
  readonly membersPerRoom: number;
  /** Members of each room, the sender not among them, who hold a /sync open. */
  readonly pollersPerRoom: number;
}

export interface LoadResult {
  readonly events: number;
  readonly deliveries: number;
  readonly seconds: number;
  /** ms from sending the request to its answer. */
  readonly sendP50: number;
  readonly sendP99: number;
}

interface Account {
  readonly token: string;
  readonly userId: string;
}

export interface PreparedLoad {
  run(eventsPerSender: number): Promise<LoadResult>;
  close(): Promise<void>;
}

interface Room {
  readonly id: string;
  readonly sender: Account;
  readonly pollers: readonly Account[];
}

export async function prepareLoad(baseUrl: string, shape: LoadShape): Promise<PreparedLoad> {
  const agent = new Agent({ connections: 256 });
  const call = caller(baseUrl, agent);
  const rooms: Room[] = [];
  for (let n = 0; n < shape.rooms; n += 1) rooms.push(await prepareRoom(call, shape, n));
  return { run: (events) => runLoad(call, rooms, events), close: () => agent.close() };
}

type Call = (
  account: Account | undefined,
  method: 'GET' | 'PUT' | 'POST',
  path: string,
  body?: Json,
) => Promise<Json>;

function caller(baseUrl: string, agent: Agent): Call {
  return async (account, method, path, body) => {
    const answer = await request(`${baseUrl}/_matrix/client/v3${path}`, {
      method,
      dispatcher: agent,
      headers: {
        'content-type': 'application/json',
        ...(account === undefined ? {} : { authorization: `Bearer ${account.token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200)
      throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return JSON.parse(text);
  };
}

async function prepareRoom(call: Call, shape: LoadShape, n: number): Promise<Room> {
  const run = `${Date.now().toString(36)}-${n}`;
  const accounts: Account[] = [];
  for (let m = 0; m < shape.membersPerRoom; m += 1) {
    const answer = await call(undefined, 'POST', '/register', {
      username: `bench-${run}-${m}`,
      password: 'a password for the bench',
      auth: { type: 'm.login.dummy' },
    });
    accounts.push({ token: answer.access_token, userId: answer.user_id });
  }
  const [sender, ...others] = accounts;
  if (sender === undefined) throw new Error('a room needs a sender');
  const { room_id: id } = await call(sender, 'POST', '/createRoom', { preset: 'public_chat' });
  for (const account of others) await call(account, 'POST', `/join/${encodeURIComponent(id)}`, {});
  return { id, sender, pollers: others.slice(0, shape.pollersPerRoom) };
}

async function runLoad(
  call: Call,
  rooms: readonly Room[],
  eventsPerSender: number,
): Promise<LoadResult> {
  const latencies: number[] = [];
  const pollers = await Promise.all(
    rooms.flatMap((room) =>
      room.pollers.map((account) => startPolling(call, account, room.id, eventsPerSender)),
    ),
  );
  const start = performance.now();
  await Promise.all(rooms.map((room) => send(call, room, eventsPerSender, latencies)));
  const delivered = await Promise.all(pollers.map((poller) => poller.done));
  const seconds = (performance.now() - start) / 1000;
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))] ?? 0;
  return {
    events: latencies.length,
    deliveries: delivered.reduce((sum, count) => sum + count, 0),
    seconds,
    sendP50: quantile(0.5),
    sendP99: quantile(0.99),
  };
}

let transactions = 0;

async function send(call: Call, room: Room, count: number, latencies: number[]): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    transactions += 1;
    const path = `/rooms/${encodeURIComponent(room.id)}/send/m.room.message/b${transactions}`;
    const start = performance.now();
    await call(room.sender, 'PUT', path, {
      msgtype: 'm.text',
      body: `message ${n} of a bench that says little`,
    });
    latencies.push(performance.now() - start);
  }
}

/** Syncs until `count` messages of the room have arrived; resolves once the initial sync is done. */
async function startPolling(call: Call, account: Account, roomId: string, count: number) {
  const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 50 } } }));
  let { next_batch: since } = await call(account, 'GET', `/sync?timeout=0&filter=${filter}`);
  const poll = async () => {
    let seen = 0;
    while (seen < count) {
      const body = await call(
        account,
        'GET',
        `/sync?timeout=30000&since=${encodeURIComponent(since)}&filter=${filter}`,
      );
      since = body.next_batch;
      const timeline = body.rooms?.join?.[roomId]?.timeline;
      if (timeline?.limited) throw new Error('a poller fell behind');
      seen += (timeline?.events ?? []).filter(
        (event: Json) => event.type === 'm.room.message',
      ).length;
    }
    return seen;
  };
  return { done: poll() };
}
