// The peer as the server that is looked through: subscriptions to its rooms, what they are told, and what else a server
// outside of a room may ask.

import { DIALECTS, type Dialect, type DialectRules } from './dialects.ts';
import { idOf } from './events.ts';
import type { Json } from './json.ts';
import { isBy, type PeerRoom } from './room.ts';
import type { PeerRequest, Reply } from './wire.ts';

export interface HeldPeek {
  readonly origin: string;
  readonly roomId: string;
  readonly peekId: string;
  /** ms since the epoch. */
  deadline: number;
}

export interface ResidentOptions {
  readonly name: string;
  readonly now: () => number;
  /** A signed request; throws where it is refused. */
  readonly tell: (destination: string, method: string, path: string, body: Json) => Promise<Json>;
}

const ok = (body: Json): Reply => ({ status: 200, body });
const refused = (status: number, errcode: string, more: Json = {}): Reply => ({
  status,
  body: { errcode, error: 'refused by the peer', ...more },
});

export class Resident {
  dialect: Dialect = 'msc2444';
  /** Instead of what the dialect says, ms. */
  renewalInterval: number | undefined;
  readonly rooms = new Map<string, PeerRoom>();
  readonly peeks: HeldPeek[] = [];
  /** Of peeks that were held at some time: Dendrite keeps its rows. */
  readonly #used = new Set<string>();
  /** Why the process has ended; nothing is answered then. */
  crash: string | undefined;
  readonly #options: ResidentOptions;
  #transactions = 0;

  constructor(options: ResidentOptions) {
    this.#options = options;
  }

  get #rules(): DialectRules {
    return DIALECTS[this.dialect];
  }

  answer(request: PeerRequest, origin: string): Reply {
    const [, version, action = '', ...rest] = request.parts;
    if (version !== 'v1') return refused(404, 'M_UNRECOGNIZED');
    if (action === 'peek') return this.#peek(request, origin, rest);
    return this.#read(request, action, rest);
  }

  /** What those who look are told of a new event: once each. Resolves when they have answered. */
  async relay(room: PeerRoom, event: Json): Promise<void> {
    const isClosing = event.type === 'm.room.history_visibility' && !room.isOpen;
    if (this.#rules.relaysOwnAlone && !isBy(event, this.#options.name)) return;
    if (isClosing && !this.#rules.relaysClosing) return;
    const now = this.#options.now();
    const looking = this.peeks.filter(
      ({ roomId, deadline }) => roomId === room.roomId && deadline > now,
    );
    const origins = new Set(looking.map(({ origin }) => origin));
    await Promise.all([...origins].map((origin) => this.send(origin, { pdus: [event] })));
  }

  /** Ends subscriptions to the room; those who held them are told where the dialect does that. */
  async expire(room: PeerRoom): Promise<void> {
    const ended = this.peeks.filter(({ roomId }) => roomId === room.roomId);
    for (const peek of ended) this.peeks.splice(this.peeks.indexOf(peek), 1);
    if (!this.#rules.tellsExpiry) return;
    for (const { origin, roomId, peekId } of ended) {
      await this.send(origin, { expired_peeks: [{ room_id: roomId, peek_id: peekId }] });
    }
  }

  async send(destination: string, parts: Json): Promise<Json> {
    this.#transactions += 1;
    const { name, now, tell } = this.#options;
    const path = `/_matrix/federation/v1/send/peer${this.#transactions}`;
    const body = { origin: name, origin_server_ts: now(), pdus: [], ...parts };
    return tell(destination, 'PUT', path, body);
  }

  #peek(request: PeerRequest, origin: string, [roomId = '', peekId, action]: string[]): Reply {
    const rules = this.#rules;
    const { method, query } = request;
    if (peekId === undefined) return refused(404, 'M_UNRECOGNIZED');
    const key = { origin, roomId, peekId };
    if (action === 'renew' && method === 'POST' && rules.knowsRenew) return this.#renew(key);
    if (action !== undefined) return refused(404, 'M_UNRECOGNIZED');
    if (method === 'DELETE' && rules.knowsDelete) return this.#end(key);
    if (method === 'PUT' || method === 'DELETE') return this.#begin(key, query.getAll('ver'));
    return refused(405, 'M_UNRECOGNIZED');
  }

  #begin(key: Omit<HeldPeek, 'deadline'>, versions: readonly string[]): Reply {
    const rules = this.#rules;
    const room = this.rooms.get(key.roomId);
    if (room === undefined) return refused(404, 'M_NOT_FOUND');
    if (rules.checksVersion && !versions.includes(room.version)) {
      return refused(400, 'M_INCOMPATIBLE_ROOM_VERSION', { room_version: room.version });
    }
    if (rules.checksVisibility && !room.isOpen) return refused(403, 'M_FORBIDDEN');
    const name = JSON.stringify([key.origin, key.roomId, key.peekId]);
    if (this.#used.has(name) && !rules.survivesRepeatedPut) {
      this.crash = `UNIQUE constraint failed: ${name}`;
      return 'cut';
    }
    this.#used.add(name);
    const deadline = this.#options.now() + this.#interval;
    const held = this.#held(key);
    if (held === undefined) this.peeks.push({ ...key, deadline });
    else held.deadline = deadline;
    return ok({ ...rules.answer(room), renewal_interval: this.#interval });
  }

  #renew(key: Omit<HeldPeek, 'deadline'>): Reply {
    const held = this.#held(key);
    if (held === undefined) return refused(404, 'M_NOT_FOUND');
    held.deadline = this.#options.now() + this.#interval;
    return ok({ renewal_interval: this.#interval });
  }

  #end(key: Omit<HeldPeek, 'deadline'>): Reply {
    const held = this.#held(key);
    if (held === undefined) return this.#rules.tellsUnknown ? refused(404, 'M_NOT_FOUND') : ok({});
    this.peeks.splice(this.peeks.indexOf(held), 1);
    return ok({});
  }

  get #interval(): number {
    return this.renewalInterval ?? this.#rules.renewalInterval;
  }

  #held(key: Omit<HeldPeek, 'deadline'>): HeldPeek | undefined {
    return this.peeks.find(
      ({ origin, roomId, peekId }) =>
        origin === key.origin && roomId === key.roomId && peekId === key.peekId,
    );
  }

  #read({ query, body }: PeerRequest, action: string, [first = '', second]: string[]): Reply {
    if (!this.#rules.readable.includes(action)) return refused(403, 'M_FORBIDDEN');
    const room =
      action === 'event'
        ? [...this.rooms.values()].find(({ events }) => events.has(first))
        : this.rooms.get(first);
    if (room === undefined) return refused(404, 'M_NOT_FOUND');
    const isKnown = (id: string) => room.events.has(id);
    const json = (ids: Iterable<string>) => [...ids].filter(isKnown).map((id) => room.event(id));
    const stateIds = () => {
      const id = query.get('event_id') ?? '';
      return isKnown(id) ? [...room.stateAfter(room.event(id).prev_events).values()] : [];
    };
    switch (action) {
      case 'event':
        return ok({ origin: this.#options.name, origin_server_ts: 0, pdus: json([first]) });
      case 'event_auth':
        return ok({
          auth_chain: isKnown(second ?? '') ? json(room.authChain([second ?? ''])) : [],
        });
      case 'state':
        return ok({ pdus: json(stateIds()), auth_chain: json(room.authChain(stateIds())) });
      case 'state_ids':
        return ok({ pdu_ids: stateIds(), auth_chain_ids: room.authChain(stateIds()) });
      case 'backfill': {
        const limit = Number(query.get('limit'));
        const pdus = room.before(query.getAll('v').filter(isKnown), limit);
        return ok({ origin: this.#options.name, origin_server_ts: 0, pdus });
      }
      case 'get_missing_events':
        return ok({ events: missing(room, body) });
      default:
        return refused(404, 'M_UNRECOGNIZED');
    }
  }
}

/** Oldest first. */
function missing(room: PeerRoom, { latest_events, earliest_events, limit = 10 }: Json): Json[] {
  const known = new Set<string>([...latest_events, ...earliest_events]);
  const before = room.before(latest_events, limit + latest_events.length);
  return before.filter((event) => !known.has(idOf(event))).reverse();
}
