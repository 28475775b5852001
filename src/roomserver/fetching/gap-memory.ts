// What came of asking for history that is missing: gaps that nobody can fill are stepped over for a while, and rooms whose
// servers did not answer are not asked about at once. In memory: after a restart it is found out anew.

import type { Clock } from '../../clock.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';

/** For how long a gap is stepped over, ms, longer each time. */
const FIRST_LOSS_MS = 60_000;
const LAST_LOSS_MS = 3_600_000;
const MAX_LOST = 10_000;
/** Before servers that did not answer are asked again, ms, longer each time. */
const FIRST_PAUSE_MS = 5_000;
const LAST_PAUSE_MS = 60_000;
const MAX_PAUSES = 10_000;
/** Where nobody has answered for so long, ms, and as often as that, nobody will. */
const HOPELESS_MS = 3_600_000;
const HOPELESS_TIMES = 5;

interface Loss {
  readonly ms: number;
  readonly until: number;
}

interface Silence {
  readonly since: number;
  readonly times: number;
  readonly until: number;
}

export class GapMemory {
  readonly #clock: Clock;
  readonly #lost = new Map<RoomId, Map<EventId, Loss>>();
  #lostCount = 0;
  readonly #silences = new Map<RoomId, Silence>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is missing and stepped over now. */
  lostIn(roomId: RoomId): EventId[] {
    const now = this.#clock.now();
    const lost = this.#lost.get(roomId) ?? [];
    return Array.from(lost, ([id, { until }]) => (until > now ? [id] : [])).flat();
  }

  lose(roomId: RoomId, gaps: readonly EventId[]): void {
    if (this.#lostCount + gaps.length > MAX_LOST) {
      this.#lost.clear();
      this.#lostCount = 0;
    }
    const lost = this.#lost.get(roomId) ?? new Map<EventId, Loss>();
    this.#lost.set(roomId, lost);
    for (const id of gaps) {
      const before = lost.get(id);
      if (before === undefined) this.#lostCount += 1;
      const ms = Math.min((before?.ms ?? FIRST_LOSS_MS / 2) * 2, LAST_LOSS_MS);
      lost.set(id, { ms, until: this.#clock.now() + ms });
    }
  }

  isSilent(roomId: RoomId): boolean {
    return (this.#silences.get(roomId)?.until ?? 0) > this.#clock.now();
  }

  /** Whether it has lasted for so long that there is no more hope. */
  silent(roomId: RoomId): boolean {
    const now = this.#clock.now();
    const before = this.#silences.get(roomId);
    const times = (before?.times ?? 0) + 1;
    const since = before?.since ?? now;
    const ms = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(times - 1, 10), LAST_PAUSE_MS);
    if (before === undefined && this.#silences.size >= MAX_PAUSES) this.#silences.clear();
    this.#silences.set(roomId, { since, times, until: now + ms });
    return times >= HOPELESS_TIMES && now - since >= HOPELESS_MS;
  }

  /** Somebody has helped. */
  heard(roomId: RoomId): void {
    this.#silences.delete(roomId);
  }
}
