// What the examples find: users, a room that alice made and bob joined, one that everybody may look into.

import type { Route } from '../../src/http/route.ts';
import { type Answer, type Call, callRoute, type Session } from './api-client.ts';
import { ROUTES } from './route-list.ts';
import type { SpecServer } from './spec-server.ts';

let counter = 0;

export class World {
  readonly server: SpecServer;
  #alice: Session | undefined;
  #bob: Session | undefined;
  #guest: Session | undefined;
  #room: string | undefined;
  #openRoom: string | undefined;

  private constructor(server: SpecServer) {
    this.server = server;
  }

  static async create(server: SpecServer): Promise<World> {
    const world = new World(server);
    world.#alice = await world.register('alice');
    world.#bob = await world.register('bob');
    world.#guest = sessionOf(
      (await world.ok('register', { as: null, query: { kind: 'guest' }, body: {} })).body,
    );
    world.#room = await world.createRoom({ preset: 'public_chat' });
    world.#openRoom = await world.createRoom({
      preset: 'public_chat',
      initial_state: [
        { type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } },
      ],
    });
    await world.ok('joinRoom', { as: world.bob, params: { roomIdOrAlias: world.room } });
    return world;
  }

  get alice(): Session {
    return there(this.#alice);
  }

  get bob(): Session {
    return there(this.#bob);
  }

  get guest(): Session {
    return there(this.#guest);
  }

  get room(): string {
    return there(this.#room);
  }

  /** World-readable, with alice alone in it. */
  get openRoom(): string {
    return there(this.#openRoom);
  }

  /** Something that no example has used yet: letters and digits. */
  fresh(prefix: string): string {
    counter += 1;
    return `${prefix}${counter}`;
  }

  alias(localpart: string): string {
    return `#${localpart}:${this.server.serverName}`;
  }

  async call(operationId: string, call: Call): Promise<Answer> {
    return await callRoute(this.server.url, routeOf(operationId), {
      as: this.#alice ?? null,
      ...call,
    });
  }

  /** Anything but 200 is an error. */
  async ok(operationId: string, call: Call = {}): Promise<Answer> {
    const answer = await this.call(operationId, call);
    if (answer.status === 200) return answer;
    throw new Error(`${operationId}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  /** The password is that of `passwordOf`. */
  async register(prefix: string): Promise<Session> {
    const username = this.fresh(prefix);
    const body = { username, password: passwordOf(username), auth: { type: 'm.login.dummy' } };
    return sessionOf((await this.ok('register', { as: null, body })).body);
  }

  /** A further device of the user. */
  async login(user: Session): Promise<Session> {
    return sessionOf((await this.ok('login', { as: null, body: loginBody(user) })).body);
  }

  async createRoom(body: object = {}, as: Session = this.alice): Promise<string> {
    return (await this.ok('createRoom', { as, body })).body.room_id;
  }

  async send(roomId: string = this.room, content: object = textMessage()): Promise<string> {
    const params = { roomId, eventType: 'm.room.message', txnId: this.fresh('txn') };
    return (await this.ok('sendMessage', { params, body: content })).body.event_id;
  }

  async upload(): Promise<{ serverName: string; mediaId: string }> {
    const bytes = PIXEL;
    const { body } = await this.ok('uploadContent', { bytes, contentType: 'image/png' });
    const [serverName = '', mediaId = ''] = body.content_uri.replace('mxc://', '').split('/');
    return { serverName, mediaId };
  }
}

export function routeOf(operationId: string): Route {
  const route = ROUTES.find((one) => one.operationId === operationId);
  if (route === undefined) throw new Error(`there is no route ${operationId}`);
  return route;
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the world is not complete yet');
  return value;
}

function sessionOf(body: { user_id: string; device_id: string; access_token: string }): Session {
  return { userId: body.user_id, deviceId: body.device_id, token: body.access_token };
}

export function passwordOf(user: string): string {
  const localpart = user.startsWith('@') ? user.slice(1, user.indexOf(':')) : user;
  return `secret of ${localpart}`;
}

export function loginBody(user: Session): object {
  return { type: 'm.login.password', ...passwordProof(user) };
}

/** What user-interactive authentication asks for. */
export function passwordProof(user: Session, password = passwordOf(user.userId)): object {
  const identifier = { type: 'm.id.user', user: user.userId };
  return { type: 'm.login.password', identifier, password };
}

export function textMessage(body = 'hello'): object {
  return { msgtype: 'm.text', body };
}

/** A PNG of one pixel. */
export const PIXEL: Uint8Array = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
