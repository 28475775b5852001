// performBackfill: history that is not here, from servers that have it. For one room once at a time; where nobody has
// it, or says so, it is not asked for again soon.

import { federationPath } from '../../federation/federation-path.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { EventId, RoomId, ServerName } from '../../protocol/identifiers.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { RoomserverApi } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { checkEvents } from '../input/check-event.ts';
import { isChecked } from '../input/checked-event.ts';
import { inputChecked } from '../input/input-events.ts';
import { isReadable } from '../membership/is-here.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { selectGaps } from '../store/references.ts';
import type { Asker, Deadline } from './asker.ts';
import { givenPdus, reachable } from './given-pdus.ts';

type BackfillRequest = Parameters<RoomserverApi['performBackfill']>[0];

const MIN_EVENTS = 20;
const MAX_EVENTS = 100;
/** Gaps that are asked for in one request. */
const MAX_GAPS = 20;
const TIME_MS = 30_000;
/** Somebody waits: what takes longer is there the next time. */
const SOFT_TIME_MS = 10_000;
const FIRST_PAUSE_MS = 60_000;
const LAST_PAUSE_MS = 3_600_000;
const MAX_PAUSES = 10_000;

type Backfilled = Awaited<ReturnType<RoomserverApi['performBackfill']>>;

const NOTHING: Backfilled = { position: 0, isComplete: false };
const COMPLETE: Backfilled = { position: 0, isComplete: true };

export class Backfills {
  readonly #contextOf: () => RoomserverContext;
  readonly #asker: Asker;
  readonly #running = new Map<RoomId, Promise<Backfilled>>();
  /** Rooms of which nothing was had. */
  readonly #pauses = new Map<RoomId, { ms: number; until: number }>();

  constructor(contextOf: () => RoomserverContext, asker: Asker) {
    this.#contextOf = contextOf;
    this.#asker = asker;
  }

  async backfill(request: BackfillRequest): Promise<Backfilled> {
    const { clock } = this.#contextOf();
    const work = this.#shared(request);
    return new Promise((resolve, reject) => {
      const cancel = clock.schedule(SOFT_TIME_MS, () => resolve(NOTHING));
      work.then(resolve, reject).finally(cancel);
    });
  }

  async idle(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }

  #shared(request: BackfillRequest): Promise<Backfilled> {
    const { roomId } = request;
    const running = this.#running.get(roomId);
    if (running !== undefined) return running;
    const work = this.#backfill(request).finally(() => this.#running.delete(roomId));
    this.#running.set(roomId, work);
    return work;
  }

  async #backfill({ roomId, minDepth, maxDepth, limit }: BackfillRequest): Promise<Backfilled> {
    const { database, rooms, clock } = this.#contextOf();
    const gaps = await selectGaps(database, roomId, { minDepth, maxDepth, limit: MAX_GAPS });
    if (gaps.length === 0) return COMPLETE;
    if ((this.#pauses.get(roomId)?.until ?? 0) > clock.now()) return NOTHING;
    const head = await rooms.head(roomId);
    if (!isReadable(this.#contextOf(), head)) return NOTHING;
    const deadline = this.#asker.deadline(TIME_MS);
    for (const server of await this.#asker.servers(roomId)) {
      const search = { server, gaps, limit, deadline };
      const position = await this.#fill(head, search);
      if (position === 0) continue;
      this.#pauses.delete(roomId);
      return { position, isComplete: false };
    }
    this.#pause(roomId);
    return NOTHING;
  }

  /** The position of the last event that was taken; 0 when none was. */
  async #fill(head: RoomHead, search: Search): Promise<number> {
    const context = this.#contextOf();
    const { roomId } = head;
    const rules = rulesOf(head.roomVersion);
    const pdus = await this.#ask(head, search);
    if (pdus.length === 0) return 0;
    const checked = await checkEvents(pdus, { roomId, rules, keyRing: context.keyRing });
    const events = checked.filter(isChecked);
    const input = { head, origin: search.server, events, kind: 'old' } as const;
    const fates = [...(await inputChecked(context, input)).values()];
    return Math.max(0, ...fates.map((fate) => (fate.fate === 'accepted' ? fate.position : 0)));
  }

  async #ask(
    { roomId, roomVersion }: RoomHead,
    { server, gaps, limit, deadline }: Search,
  ): Promise<Pdu[]> {
    const wanted = Math.min(Math.max(limit, MIN_EVENTS), MAX_EVENTS);
    const path = federationPath`/_matrix/federation/v1/backfill/${roomId}`;
    const query = { v: gaps, limit: String(wanted) };
    const answer = await this.#asker.ask(server, { method: 'GET', path, query }, deadline);
    const room = { roomId, rules: rulesOf(roomVersion) };
    const given = await givenPdus(answer?.pdus, room, MAX_EVENTS * 2);
    return [...reachable(given, gaps, ({ prevEvents }) => prevEvents).values()];
  }

  #pause(roomId: RoomId): void {
    if (this.#asker.isClosed) return;
    const before = this.#pauses.get(roomId)?.ms ?? FIRST_PAUSE_MS / 2;
    const ms = Math.min(before * 2, LAST_PAUSE_MS);
    if (this.#pauses.size >= MAX_PAUSES) this.#pauses.clear();
    this.#pauses.set(roomId, { ms, until: this.#contextOf().clock.now() + ms });
  }
}

interface Search {
  readonly server: ServerName;
  readonly gaps: readonly EventId[];
  readonly limit: number;
  readonly deadline: Deadline;
}
