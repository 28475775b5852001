// performBackfill: history that is not here, from servers that have it. For one room once at a time. What all who were asked
// have refused, or do not have, is lost, and stepped over; what those have who do not answer now is not.

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
import { type Gap, selectGaps } from '../store/references.ts';
import type { Asker, Deadline } from './asker.ts';
import { GapMemory } from './gap-memory.ts';
import { givenPdus, reachable } from './given-pdus.ts';

type BackfillRequest = Parameters<RoomserverApi['performBackfill']>[0];
type Backfilled = Awaited<ReturnType<RoomserverApi['performBackfill']>>;

const MIN_EVENTS = 20;
const MAX_EVENTS = 100;
/** Gaps that are asked for in one request. */
const MAX_GAPS = 20;
/** So often other gaps are asked for where those before were lost. */
const MAX_ROUNDS = 3;
const TIME_MS = 30_000;
/** Somebody waits: what takes longer is there the next time. */
const SOFT_TIME_MS = 10_000;
/** Where so many have answered that they do not have it, no more have to. */
const ENOUGH_REFUSALS = 3;
const MAX_ROOMS = 10_000;

interface Running {
  readonly range: string;
  readonly work: Promise<Backfilled>;
}

export class Backfills {
  readonly #contextOf: () => RoomserverContext;
  readonly #asker: Asker;
  readonly #running = new Map<RoomId, Running>();
  #gaps: GapMemory | undefined;
  /** Where what was brought last is in the log. */
  readonly #positions = new Map<RoomId, number>();

  constructor(contextOf: () => RoomserverContext, asker: Asker) {
    this.#contextOf = contextOf;
    this.#asker = asker;
  }

  async backfill(request: BackfillRequest): Promise<Backfilled> {
    const { clock } = this.#contextOf();
    const work = this.#inTurn(request);
    return new Promise((resolve, reject) => {
      const cancel = clock.schedule(SOFT_TIME_MS, () => resolve(this.#later(request)));
      work.then(resolve, reject).finally(cancel);
    });
  }

  async idle(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map(({ work }) => work));
  }

  /** Who asks for the same shares what is under way; who asks for something else waits until it is over. */
  async #inTurn(request: BackfillRequest): Promise<Backfilled> {
    const { roomId, minDepth, maxDepth } = request;
    const range = `${minDepth} ${maxDepth}`;
    for (;;) {
      const running = this.#running.get(roomId);
      if (running === undefined) break;
      if (running.range === range) return running.work;
      await running.work.catch(() => undefined);
    }
    const work = this.#backfill(request).finally(() => this.#running.delete(roomId));
    this.#running.set(roomId, { range, work });
    return work;
  }

  async #backfill(request: BackfillRequest): Promise<Backfilled> {
    const { roomId, limit } = request;
    const head = await this.#contextOf().rooms.head(roomId);
    const deadline = this.#asker.deadline(TIME_MS);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const gaps = await this.#open(request);
      const [deepest] = gaps;
      if (deepest === undefined) return this.#standing(roomId);
      // Of a room that we have left nothing more is had.
      if (!isReadable(this.#contextOf(), head)) return this.#standing(roomId);
      if (this.#memory.isSilent(roomId)) return this.#standing(roomId, deepest);
      const wanted = gaps.map(({ eventId }) => eventId);
      const outcome = await this.#askAll(head, { gaps: wanted, limit, deadline });
      if (outcome === 'brought') return { ...this.#standing(roomId, deepest), isNew: true };
      if (outcome === 'silence' && !this.#memory.silent(roomId))
        return this.#standing(roomId, deepest);
      this.#memory.lose(roomId, wanted);
    }
    return this.#later(request);
  }

  /** Where it could not be waited for what is going on. */
  async #later(request: BackfillRequest): Promise<Backfilled> {
    const [deepest] = await this.#open(request);
    return this.#standing(request.roomId, deepest);
  }

  #open({ roomId, minDepth, maxDepth }: BackfillRequest): Promise<Gap[]> {
    const lost = this.#memory.lostIn(roomId);
    const range = { minDepth, maxDepth, limit: MAX_GAPS, except: lost };
    return selectGaps(this.#contextOf().database, roomId, range);
  }

  #standing(roomId: RoomId, gap?: Gap): Backfilled {
    const position = this.#positions.get(roomId) ?? 0;
    return { position, isNew: false, ...(gap !== undefined && { gapAt: gap.depth }) };
  }

  /** `refused`: so many as count do not have it. `silence`: some have not said so. */
  async #askAll(
    head: RoomHead,
    search: Omit<Search, 'server'>,
  ): Promise<'brought' | 'refused' | 'silence'> {
    const { roomId } = head;
    const first = this.#contextOf().outboundPeeks.serversOf(roomId)[0];
    const { servers, isPassingOver } = await this.#asker.choose(roomId, first);
    let refusals = 0;
    for (const server of servers) {
      const outcome = await this.#fill(head, { ...search, server });
      if (outcome === 'brought') {
        this.#memory.heard(roomId);
        return outcome;
      }
      if (outcome === 'refused') refusals += 1;
    }
    const isUnanimous = refusals === servers.length && !isPassingOver;
    return isUnanimous || refusals >= ENOUGH_REFUSALS ? 'refused' : 'silence';
  }

  async #fill(head: RoomHead, search: Search): Promise<'brought' | 'refused' | 'silence'> {
    const context = this.#contextOf();
    const { roomId } = head;
    const rules = rulesOf(head.roomVersion);
    const given = await this.#ask(head, search);
    if (typeof given === 'string') return given;
    const { server: origin } = search;
    const check = { roomId, rules, keyRing: context.keyRing, origin };
    const events = (await checkEvents(given, check)).filter(isChecked);
    if (events.length === 0) return 'refused';
    const input = { head, origin, events, kind: 'old' } as const;
    const fates = [...(await inputChecked(context, input)).values()];
    const positions = fates.map((fate) => (fate.fate === 'accepted' ? fate.position : 0));
    this.#brought(roomId, Math.max(0, ...positions));
    // What is rejected is missing no longer either.
    const isPlaced = fates.some(({ fate }) => fate === 'accepted' || fate === 'rejected');
    return isPlaced ? 'brought' : 'silence';
  }

  async #ask(
    { roomId, roomVersion }: RoomHead,
    { server, gaps, limit, deadline }: Search,
  ): Promise<Pdu[] | 'refused' | 'silence'> {
    const wanted = Math.min(Math.max(limit, MIN_EVENTS), MAX_EVENTS);
    const path = federationPath`/_matrix/federation/v1/backfill/${roomId}`;
    const query = { v: gaps, limit: String(wanted) };
    const question = { method: 'GET', path, query } as const;
    const { answer, isRefused } = await this.#asker.attempt(server, question, deadline);
    if (answer === undefined) return isRefused ? 'refused' : 'silence';
    const room = { roomId, rules: rulesOf(roomVersion) };
    const given = await givenPdus(answer.pdus, room, MAX_EVENTS * 2);
    return [...reachable(given, gaps, ({ prevEvents }) => prevEvents).values()];
  }

  #brought(roomId: RoomId, position: number): void {
    if (position === 0) return;
    const [oldest] = this.#positions.keys();
    if (this.#positions.size >= MAX_ROOMS && oldest !== undefined) this.#positions.delete(oldest);
    this.#positions.delete(roomId);
    this.#positions.set(roomId, position);
  }

  get #memory(): GapMemory {
    this.#gaps ??= new GapMemory(this.#contextOf().clock);
    return this.#gaps;
  }
}

interface Search {
  readonly server: ServerName;
  readonly gaps: readonly EventId[];
  readonly limit: number;
  readonly deadline: Deadline;
}
