// Two servers and a third that is the policy server of their rooms, and does with what it is asked to sign what a test says.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { sql } from '../../src/database/sql.ts';
import type { PduJson } from '../../src/protocol/events/pdu.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { POLICY_SERVER_KEY_ID } from '../../src/protocol/policy-server.ts';
import { rulesOf } from '../../src/protocol/roomversions/table.ts';
import { signPdu } from '../../src/protocol/signing.ts';
import { generateSigningKey } from '../../src/protocol/signing-key.ts';
import { until } from '../until.ts';
import type { ForeignRoom } from './foreign-room.ts';
import { type Handler, HostileServer, Refusal } from './hostile-server.ts';
import type { ComposedServer } from './network.ts';
import { startNetwork } from './network.ts';
import type { Reader } from './reader.ts';
import { type Any, Scene } from './scene.ts';

const ROOM_VERSION = '11';
const SIGN = /^\/_matrix\/policy\/v1\/sign$/;

/** What it answers for an event. */
export type Policy = (event: Any, ...more: Parameters<Handler>) => ReturnType<Handler>;

export interface ModeratedRoom {
  readonly roomId: string;
  /** As the policy server has it. */
  readonly theirs: ForeignRoom;
  /** Of the policy server, joined. */
  readonly guard: string;
}

let guards = 0;

export class PolicyScene {
  readonly scene: Scene;
  readonly peer: HostileServer;
  readonly ann: Reader;
  readonly bob: Reader;
  readonly #key = { ...generateSigningKey(), keyId: POLICY_SERVER_KEY_ID };
  policy: Policy = (event) => this.signature(event);

  private constructor(scene: Scene, peer: HostileServer, users: readonly [Reader, Reader]) {
    this.scene = scene;
    this.peer = peer;
    [this.ann, this.bob] = users;
    peer.on(SIGN, (asked, response) => this.policy(asked.body, asked, response));
  }

  static async begin(): Promise<PolicyScene> {
    const scene = new Scene(await startNetwork({ servers: 2, roomVersion: ROOM_VERSION }));
    const users = [await scene.user(0, 'ann'), await scene.user(1, 'bob')] as const;
    return new PolicyScene(scene, await HostileServer.start(), users);
  }

  server(index: number): ComposedServer {
    return this.scene.network.server(index) as ComposedServer;
  }

  /** Of m.room.policy. */
  get content(): Any {
    return { via: this.peer.name, public_keys: { ed25519: this.#key.publicKey } };
  }

  signature(event: PduJson, key = this.#key): JsonObject {
    const by = { serverName: this.peer.name, key };
    const { signatures: _, ...unsigned } = event;
    const signed = signPdu(unsigned as PduJson, rulesOf(ROOM_VERSION), by);
    return signed.signatures as JsonObject;
  }

  refuse(words: string): never {
    throw new Refusal(400, { errcode: 'M_FORBIDDEN', error: words });
  }

  /** A room of ann's in which bob is (unless told otherwise), and the policy server, which it names. */
  async room({ withBob = true, isNamed = true, ...more }: Any = {}): Promise<ModeratedRoom> {
    this.policy = (event) => this.signature(event);
    const roomId = await this.scene.sharedRoom(this.ann, withBob ? [this.bob] : [], more);
    const guard = this.peer.user(`guard${guards++}`);
    const theirs = await this.peer.join(this.server(0).name, roomId, guard);
    const readers = withBob ? [this.ann, this.bob] : [this.ann];
    for (const reader of readers)
      await reader.sees(roomId, ({ state_key }) => state_key === guard, 'the guard joins');
    if (isNamed) {
      const id = await this.ann.client.setState(roomId, 'm.room.policy', '', this.content);
      for (const reader of readers) await reader.seesId(roomId, id);
      await until(async () => theirs.current('m.room.policy') !== undefined, 'it is named');
    }
    this.peer.asked.length = 0;
    return { roomId, theirs, guard };
  }

  /** What the policy server was asked to sign, oldest first. */
  get asked(): Any[] {
    return this.peer.askedFor(SIGN).map(({ body }) => body);
  }

  /** The guard says something of which nobody has asked the policy server, and tells a server. */
  async slip({ theirs, guard }: ModeratedRoom, text: string, to = 0): Promise<string> {
    const content = { msgtype: 'm.text', body: text };
    const said = theirs.build({ type: 'm.room.message', sender: guard, content });
    const { status } = await this.peer.send(this.server(to).name, [said]);
    assert.equal(status, 200);
    return said.eventId;
  }

  async stored(server: number, eventId: string): Promise<Any> {
    const { database } = this.server(server).keyhole;
    const query = sql`SELECT standing, reason, json FROM roomserver_events WHERE event_id = ${eventId}`;
    const row = await database.get<Any>(query);
    return row && { ...row, json: JSON.parse(row.json) };
  }

  /** Resolves with what a server has made of an event, once it has. */
  async fate(server: number, eventId: string): Promise<Any> {
    let found: Any;
    await until(async () => {
      found = await this.stored(server, eventId);
      return found !== undefined;
    }, `${eventId} on server ${server}`);
    return found;
  }

  isSigned({ json }: { readonly json: PduJson }): boolean {
    const [own] = [this.signature(json)[this.peer.name] as Any];
    const given = json.signatures?.[this.peer.name] as Any;
    return given?.[POLICY_SERVER_KEY_ID] === own[POLICY_SERVER_KEY_ID];
  }

  async end(): Promise<void> {
    await this.scene.network.close();
    await this.peer.close();
  }
}

/** One for the tests of a file. */
export function usePolicyScene(): () => PolicyScene {
  let scene: PolicyScene | undefined;
  before(async () => {
    scene = await PolicyScene.begin();
  });
  after(() => scene?.end());
  return () => {
    assert.ok(scene);
    return scene;
  };
}
