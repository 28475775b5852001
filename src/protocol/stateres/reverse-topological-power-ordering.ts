// Definition "Reverse topological power ordering": auth events before those that they authorize, and among
// what is free to come next the more powerful sender first, then the older event, then the smaller id.
// Kahn's algorithm with a priority queue: n·log n for any shape of graph.

import { powerLevelsFrom } from '../auth/power-levels.ts';
import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';
import { BinaryHeap } from './binary-heap.ts';
import { citedCreate, citedPowerLevels } from './cited-events.ts';
import { compareAge } from './event-order.ts';
import type { ResolutionDeps } from './resolution.ts';

interface Vertex {
  readonly event: Pdu;
  /** Of the sender, going by the event's own auth events. */
  readonly level: number;
  /** The vertices that list this event among their auth events. */
  readonly citedBy: Vertex[];
  /** Auth events in the graph that are not in the list yet. */
  waitingFor: number;
}

/** Events in a circle of auth events, which cannot have been accepted by anybody, are left out. */
export function reverseTopologicalPowerOrdering(
  events: ReadonlyMap<EventId, Pdu>,
  deps: ResolutionDeps,
): Pdu[] {
  const candidates = new BinaryHeap<Vertex>(compareVertices);
  for (const vertex of graphOf(events, deps)) {
    if (vertex.waitingFor === 0) candidates.push(vertex);
  }
  const ordered: Pdu[] = [];
  for (let next = candidates.pop(); next !== undefined; next = candidates.pop()) {
    ordered.push(next.event);
    for (const vertex of next.citedBy) {
      vertex.waitingFor -= 1;
      if (vertex.waitingFor === 0) candidates.push(vertex);
    }
  }
  return ordered;
}

function graphOf(events: ReadonlyMap<EventId, Pdu>, deps: ResolutionDeps): readonly Vertex[] {
  const vertices = new Map<EventId, Vertex>();
  for (const [id, event] of events) {
    vertices.set(id, { event, level: senderLevel(event, deps), citedBy: [], waitingFor: 0 });
  }
  for (const vertex of vertices.values()) {
    for (const id of new Set(vertex.event.authEvents)) {
      const authVertex = vertices.get(id);
      if (authVertex === undefined) continue;
      authVertex.citedBy.push(vertex);
      vertex.waitingFor += 1;
    }
  }
  return [...vertices.values()];
}

function senderLevel(event: Pdu, deps: ResolutionDeps): number {
  const powerLevels = citedPowerLevels(event, deps);
  const create = citedCreate(event, deps);
  return powerLevelsFrom({ powerLevels, create }, deps.rules).levelOf(event.sender);
}

/** Levels can be infinite, so that they must not be subtracted. */
function compareVertices(x: Vertex, y: Vertex): number {
  if (x.level !== y.level) return x.level > y.level ? -1 : 1;
  return compareAge(x.event, y.event);
}
