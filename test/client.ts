// The smallest Matrix client: JSON over HTTP with a token. For tests that speak the wire format themselves.

import { request as send } from 'undici';

export type Json = Record<string, unknown>;

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into responses of every shape
  readonly body: any;
}

let transactions = 0;

export class TestClient {
  readonly baseUrl: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly token: string;

  constructor(
    baseUrl: string,
    session: { user_id: string; device_id: string; access_token: string },
  ) {
    this.baseUrl = baseUrl;
    this.userId = session.user_id;
    this.deviceId = session.device_id;
    this.token = session.access_token;
  }

  /** `path` is below /_matrix/client. */
  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    return request(this.baseUrl, method, path, body, this.token);
  }

  /** As `call`, but anything but 200 is an error. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into responses of every shape
  async ok(method: string, path: string, body?: unknown): Promise<any> {
    const answer = await this.call(method, path, body);
    if (answer.status !== 200) {
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  }

  async createRoom(body: Json = {}): Promise<string> {
    return (await this.ok('POST', '/v3/createRoom', body)).room_id;
  }

  async send(roomId: string, text: string): Promise<string> {
    return this.sendEvent(roomId, 'm.room.message', { msgtype: 'm.text', body: text });
  }

  async sendEvent(roomId: string, type: string, content: Json): Promise<string> {
    transactions += 1;
    const path = `/v3/rooms/${encodeURIComponent(roomId)}/send/${type}/t${transactions}`;
    return (await this.ok('PUT', path, content)).event_id;
  }

  async setState(roomId: string, type: string, stateKey: string, content: Json): Promise<string> {
    const path = `/v3/rooms/${encodeURIComponent(roomId)}/state/${type}/${encodeURIComponent(stateKey)}`;
    return (await this.ok('PUT', path, content)).event_id;
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into responses of every shape
  async sync(query: Record<string, string> = {}): Promise<any> {
    return this.ok('GET', `/v3/sync?${new URLSearchParams({ timeout: '0', ...query })}`);
  }
}

export async function request(
  baseUrl: string,
  method: string,
  path: string,
  body?: unknown,
  token?: string,
): Promise<Answer> {
  const response = await send(`${baseUrl}/_matrix/client${path}`, {
    method: method as 'GET',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.statusCode, body: await response.body.json() };
}

/** Whether a request failed since the server, or the connection to it, is gone. */
export function isDisconnection(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return ['UND_ERR_SOCKET', 'ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes(String(code));
}

export async function register(baseUrl: string, username: string): Promise<TestClient> {
  const answer = await request(baseUrl, 'POST', '/v3/register', {
    username,
    password: `secret of ${username}`,
    auth: { type: 'm.login.dummy' },
  });
  if (answer.status !== 200)
    throw new Error(`register ${username}: ${JSON.stringify(answer.body)}`);
  return new TestClient(baseUrl, answer.body);
}

/** A further device of the same user. */
export async function loginAgain(client: TestClient): Promise<TestClient> {
  const localpart = client.userId.slice(1, client.userId.indexOf(':'));
  const answer = await request(client.baseUrl, 'POST', '/v3/login', {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: client.userId },
    password: `secret of ${localpart}`,
  });
  if (answer.status !== 200)
    throw new Error(`login ${client.userId}: ${JSON.stringify(answer.body)}`);
  return new TestClient(client.baseUrl, answer.body);
}

export async function registerGuest(baseUrl: string): Promise<TestClient> {
  const answer = await request(baseUrl, 'POST', '/v3/register?kind=guest', {});
  if (answer.status !== 200) throw new Error(`register guest: ${JSON.stringify(answer.body)}`);
  return new TestClient(baseUrl, answer.body);
}
