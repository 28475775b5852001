// A server that is attacked by another: rooms that both are in, and the proof that after each attack all goes on.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { sql } from '../../src/database/sql.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { RoomVersionId } from '../../src/protocol/roomversions/room-version.ts';
import type { Answer } from '../client.ts';
import { ask, xMatrix } from './asking.ts';
import type { ForeignRoom } from './foreign-room.ts';
import { HostileServer } from './hostile-server.ts';
import type { ComposedServer } from './network.ts';
import { startNetwork } from './network.ts';
import type { Reader } from './reader.ts';
import { roomPath, Scene } from './scene.ts';

let names = 0;
const next = () => {
  names += 1;
  return names;
};

export interface SharedRoom {
  readonly roomId: string;
  /** As the attacker has it. */
  readonly theirs: ForeignRoom;
  /** Of the attacker, joined. */
  readonly userId: string;
}

export class Siege {
  readonly scene: Scene;
  readonly eve: HostileServer;
  readonly ann: Reader;

  private constructor(scene: Scene, eve: HostileServer, ann: Reader) {
    this.scene = scene;
    this.eve = eve;
    this.ann = ann;
  }

  static async begin(): Promise<Siege> {
    const scene = new Scene(await startNetwork({ servers: 1 }));
    return new Siege(scene, await HostileServer.start(), await scene.user(0, 'ann'));
  }

  get server(): ComposedServer {
    return this.scene.network.server(0) as ComposedServer;
  }

  /** A room of ann's that a user of the attacker has joined. */
  async room(version: RoomVersionId = '11', more = {}): Promise<SharedRoom> {
    const body = { preset: 'public_chat', room_version: version, ...more };
    const roomId = await this.ann.client.createRoom(body);
    const userId = this.eve.user(`eve${next()}`);
    const theirs = await this.eve.join(this.server.name, roomId, userId);
    await this.ann.sees(roomId, ({ state_key }) => state_key === userId, 'the attacker joins');
    return { roomId, theirs, userId };
  }

  message({ theirs, userId: sender }: SharedRoom, text: string, more = {}) {
    const content = { msgtype: 'm.text', body: text };
    return theirs.build({ type: 'm.room.message', sender, content, ...more });
  }

  /** What is right is taken all the same, and comes after what was sent before. Returns its id. */
  async goesOn(room: SharedRoom): Promise<string> {
    const said = room.theirs.add({
      type: 'm.room.message',
      sender: room.userId,
      content: { msgtype: 'm.text', body: `still here ${next()}` },
    });
    const { status, body } = await this.eve.send(this.server.name, [said]);
    assert.equal(status, 200);
    assert.deepEqual(body.pdus, { [said.eventId]: {} });
    await this.ann.seesId(room.roomId, said.eventId);
    const own = await this.ann.client.send(room.roomId, 'and so are we');
    await this.ann.seesId(room.roomId, own);
    return said.eventId;
  }

  /** Events of the room that have any standing, by id. */
  async standings(roomId: string): Promise<Map<string, string>> {
    const { events } = await this.server.stored(roomId);
    return new Map(events.map(({ event_id, standing }) => [event_id, standing]));
  }

  /** Events of the room that wait to be received. */
  async staged(roomId: string): Promise<number> {
    const { database } = this.server.keyhole;
    const query = sql`SELECT count(*) AS n FROM roomserver_staged_pdus WHERE room_id = ${roomId}`;
    return Number((await database.get<{ n: number }>(query))?.n);
  }

  async count(table: 'rooms' | 'events' | 'invites'): Promise<number> {
    const { database } = this.server.keyhole;
    const query = {
      rooms: sql`SELECT count(*) AS n FROM roomserver_rooms`,
      events: sql`SELECT count(*) AS n FROM roomserver_events`,
      invites: sql`SELECT count(*) AS n FROM roomserver_invites`,
    }[table];
    return Number((await database.get<{ n: number }>(query))?.n);
  }

  /** A transaction whose text is as given: the signature is made of what JSON.parse makes of it. */
  sendText(text: string): Promise<Answer> {
    const path = `/_matrix/federation/v1/send/text${next()}`;
    return this.ask('PUT', path, text);
  }

  ask(method: string, path: string, text: string, signed?: JsonObject): Promise<Answer> {
    const { eve, server } = this;
    const request = { destination: server.name, method, path };
    const body = signed ?? (JSON.parse(text) as JsonObject);
    const authorization = xMatrix({ ...request, origin: eve.name, body, key: eve.signingKey });
    return ask({ ...request, body: text, headers: { authorization } });
  }

  /** The current value of a state event as ann has it. */
  async state(roomId: string, type: string, stateKey = ''): Promise<Answer> {
    const path = roomPath(roomId, `state/${type}/${encodeURIComponent(stateKey)}`);
    return this.ann.client.call('GET', path);
  }

  async end(): Promise<void> {
    await this.scene.network.close();
    await this.eve.close();
  }
}

/** One for the tests of a file. */
export function useSiege(): () => Siege {
  let siege: Siege | undefined;
  before(async () => {
    siege = await Siege.begin();
  });
  after(() => siege?.end());
  return () => {
    assert.ok(siege);
    return siege;
  };
}
