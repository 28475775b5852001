// Room states by snapshot id, in memory.

import type { EventId } from '../../protocol/identifiers.ts';
import type { StateEntry, StateEntryChange } from '../../roomserver/api.ts';

export interface Key {
  readonly type: string;
  readonly stateKey: string;
}

type State = ReadonlyMap<string, EventId>;

export class Snapshots {
  readonly #states = new Map<string, State>([['empty', new Map()]]);

  get(snapshot: string): State {
    const state = this.#states.get(snapshot);
    if (state === undefined) throw new Error(`no snapshot ${snapshot}`);
    return state;
  }

  set(snapshot: string, state: State): void {
    this.#states.set(snapshot, state);
  }

  entries(snapshot: string): StateEntry[] {
    return [...this.get(snapshot)].map(([key, eventId]) => ({ ...parseKey(key), eventId }));
  }

  delta(request: { from: string; to: string }): { changes: StateEntryChange[] } {
    const from = this.get(request.from);
    const to = this.get(request.to);
    const keys = new Set([...from.keys(), ...to.keys()]);
    const changed = [...keys].filter((key) => from.get(key) !== to.get(key));
    return {
      changes: changed.map((key) => {
        const before = from.get(key);
        const after = to.get(key);
        return {
          ...parseKey(key),
          ...(before !== undefined && { from: before }),
          ...(after !== undefined && { to: after }),
        };
      }),
    };
  }

  across(request: { snapshots: readonly string[] } & Key): (EventId | undefined)[] {
    const key = `${request.type}\0${request.stateKey}`;
    return request.snapshots.map((snapshot) => this.get(snapshot).get(key));
  }
}

function parseKey(key: string): Key {
  const [type = '', stateKey = ''] = key.split('\0');
  return { type, stateKey };
}
