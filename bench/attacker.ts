// A server that attacks, as a process of its own (see federation-hostile.ts): all at once, as fast as it is answered, until it is
// told to stop.

import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import type { Pdu } from '../src/protocol/events/pdu.ts';
import type { EventId } from '../src/protocol/identifiers.ts';
import type { JsonObject } from '../src/protocol/json.ts';
import { generateSigningKey } from '../src/protocol/signing-key.ts';
import { ask, xMatrix } from '../test/federation/asking.ts';
import type { ForeignRoom } from '../test/federation/foreign-room.ts';
import { HostileServer } from '../test/federation/hostile-server.ts';
import { TEST_CA } from '../test/tls/fixtures.ts';

interface Command {
  readonly begin?: { readonly destination: string; readonly roomId: string };
  readonly attack?: boolean;
  /** Names of attacks; absent: all. */
  readonly only?: readonly string[];
}

const BATCH = 50;
/** After an answer that says so, ms: nobody who attacks waits for as long as he is told. */
const PAUSE_MS = 50;

let attacker: Attacker | undefined;

process.on('message', async (command: Command) => {
  if (command.begin !== undefined) {
    attacker = await Attacker.start(command.begin);
    process.send?.({ ready: true });
  } else if (command.attack === true) {
    attacker?.attack(command.only);
    process.send?.({ attacking: true });
  } else {
    await attacker?.stop();
    process.send?.({ counts: attacker?.counts });
  }
});

class Attacker {
  readonly counts: Record<string, number> = {};
  readonly #eve: HostileServer;
  readonly #room: ForeignRoom;
  readonly #sender: string;
  readonly #destination: string;
  #isAttacking = false;
  #running: Promise<void>[] = [];
  #n = 0;

  static async start({ destination, roomId }: { destination: string; roomId: string }) {
    const eve = await HostileServer.start();
    const sender = eve.user('eve');
    const room = await eve.join(destination, roomId, sender);
    return new Attacker(eve, { room, sender, destination });
  }

  private constructor(
    eve: HostileServer,
    parts: { readonly room: ForeignRoom; readonly sender: string; readonly destination: string },
  ) {
    this.#eve = eve;
    this.#room = parts.room;
    this.#sender = parts.sender;
    this.#destination = parts.destination;
    this.#answerBadly();
  }

  attack(only: readonly string[] = []): void {
    this.#isAttacking = true;
    const attacks: Readonly<Record<string, () => Promise<number>>> = {
      forged: () => this.#send(this.#batch({ signedBy: this.#stranger() })),
      hashes: () => this.#send(this.#batch().map((pdu) => this.#altered(pdu))),
      unauthorized: () => this.#send(this.#batch({ type: 'm.room.power_levels', stateKey: '' })),
      holes: () => this.#send(this.#batch({ prevEvents: [this.#id()] })),
      creates: () => this.#send(this.#batch({ type: 'm.room.create', stateKey: '' })),
      elsewhere: () => this.#send(this.#batch().map(({ json }) => ({ ...json, room_id: '!x:y' }))),
      large: () => this.#put(this.#largeBody()),
      bomb: () => this.#put(`{"pdus":[],"x":[${'[],'.repeat(1_000_000)}0]}`, {}),
      unknown: () => this.#unknownServer(),
      slow: () => this.#slowBody(),
      edus: () => this.#send([], this.#edus()),
      states: () => this.#get('state'),
    };
    this.#running = Object.entries(attacks)
      .filter(([name]) => only.length === 0 || only.includes(name))
      .map(([name, attack]) => this.#again(name, attack));
  }

  async stop(): Promise<void> {
    this.#isAttacking = false;
    await Promise.all(this.#running);
  }

  async #again(name: string, attack: () => Promise<number>): Promise<void> {
    while (this.#isAttacking) {
      const status = await attack().catch(() => 0);
      const key = `${name} ${status}`;
      this.counts[key] = (this.counts[key] ?? 0) + 1;
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  #id(): EventId {
    this.#n += 1;
    return `$${String(this.#n).padStart(43, 'A')}` as EventId;
  }

  #stranger() {
    return { name: this.#eve.name, signingKey: generateSigningKey(), now: Date.now };
  }

  #batch(more: object = {}): Pdu[] {
    return Array.from({ length: BATCH }, () => {
      this.#n += 1;
      const content = { body: `attack ${this.#n}`, users: { [this.#sender]: 100 } };
      return this.#room.build({ type: 'm.room.message', sender: this.#sender, content, ...more });
    });
  }

  #altered(pdu: Pdu): Pdu {
    return this.#room.altered(pdu, { content: { body: 'altered' } });
  }

  async #send(pdus: readonly (Pdu | JsonObject)[], edus: readonly JsonObject[] = []) {
    return (await this.#eve.send(this.#destination, pdus, edus)).status;
  }

  #largeBody(): string {
    const text = 'x'.repeat(60_000);
    const pdus = Array.from({ length: BATCH }, () => ({ room_id: '!x:y', content: { text } }));
    const edus = Array.from({ length: 100 }, () => ({ edu_type: 'm.x', content: { text } }));
    return JSON.stringify({ pdus, edus });
  }

  async #put(body: string, signed?: JsonObject): Promise<number> {
    this.#n += 1;
    const request = {
      destination: this.#destination,
      method: 'PUT',
      path: `/_matrix/federation/v1/send/large${this.#n}`,
    };
    const content = signed ?? (JSON.parse(body) as JsonObject);
    const key = this.#eve.signingKey;
    const headers = {
      authorization: xMatrix({ ...request, origin: this.#eve.name, body: content, key }),
    };
    return (await ask({ ...request, body, headers })).status;
  }

  /** Servers that nobody knows, whose keys have to be asked for. */
  async #unknownServer(): Promise<number> {
    this.#n += 1;
    const request = {
      destination: this.#destination,
      method: 'GET',
      path: '/_matrix/federation/v1/publicRooms',
    };
    const origin = `localhost:${(this.#n % 60_000) + 1}`;
    const headers = { authorization: xMatrix({ ...request, origin, key: this.#eve.signingKey }) };
    return (await ask({ ...request, headers })).status;
  }

  /** Says that there is much to come, and then a byte now and then. */
  #slowBody(): Promise<number> {
    const [host = '', port] = this.#destination.split(':');
    const socket = connect({ host, port: Number(port), ca: readFileSync(TEST_CA) });
    const head = `PUT /_matrix/federation/v1/send/s HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\nauthorization: X-Matrix origin="x",key="ed25519:a",sig="a"\r\n\r\n`;
    socket.on('error', () => undefined);
    socket.write(head);
    const timer = setInterval(() => {
      if (this.#isAttacking) socket.write(' ');
      else socket.destroy();
    }, 200);
    socket.once('close', () => clearInterval(timer));
    return Promise.resolve(0);
  }

  #edus(): JsonObject[] {
    return Array.from({ length: 100 }, () => {
      this.#n += 1;
      return {
        edu_type: 'm.device_list_update',
        content: {
          user_id: this.#sender,
          device_id: `D${this.#n}`,
          stream_id: this.#n,
          prev_id: [],
        },
      };
    });
  }

  async #get(what: string): Promise<number> {
    const event = this.#room.heads[0] ?? '';
    const path = `/_matrix/federation/v1/${what}/${encodeURIComponent(this.#room.roomId)}?event_id=${encodeURIComponent(event)}`;
    return (await this.#eve.request(this.#destination, 'GET', path)).status;
  }

  /** What is asked of it in turn is answered late, too much, and wrongly. */
  #answerBadly(): void {
    const many = Array.from({ length: 50_000 }, () => this.#id());
    this.#eve.on(/\/state_ids\//, () => ({ pdu_ids: many, auth_chain_ids: many }));
    this.#eve.on(/\/get_missing_events\//, () => {
      const events = this.#batch({ prevEvents: [this.#id()] }).map(({ json }) => json);
      return { events: events as never };
    });
    this.#eve.on(/\/state\//, () => {
      const pdus = Array.from({ length: 20_000 }, () => ({ type: 'x', pad: 'x'.repeat(1_000) }));
      return { pdus, auth_chain: [] };
    });
    this.#eve.on(/\/user\/devices\//, (_asked, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{');
      return undefined;
    });
  }
}
