// The answer to PUT /peek: as MSC2444 has it, and besides that as two servers read it which differ from it. They ignore
// what they do not know, but the state is sent twice then: so only to those whose request shows who they are.

import type { PduJson, PduRecord } from '../protocol/events/pdu.ts';
import type { EventId } from '../protocol/identifiers.ts';
import type { RoomserverApi } from '../roomserver/api.ts';

type PeekSnapshot = Awaited<ReturnType<RoomserverApi['performInboundPeek']>>['snapshot'];

export type CompatFields = 'auto' | 'always' | 'never';

/** Dendrite's peek ids are room ids; Palpo begins its own thus, and does not name its room versions. */
export function speaksOldDialect(request: {
  readonly peekId: string;
  readonly roomVersions: readonly string[];
}): boolean {
  const { peekId, roomVersions } = request;
  return roomVersions.length === 0 || peekId.startsWith('!') || peekId.startsWith('peek_');
}

export function peekResponse(
  snapshot: PeekSnapshot,
  options: { readonly renewalInterval: number; readonly isCompatible: boolean },
): { readonly [field: string]: object | string | number } {
  const { roomVersion, latestEventStateIds, commonStateIds, events } = snapshot;
  return {
    room_version: roomVersion,
    renewal_interval: options.renewalInterval,
    latest_event_state_ids: latestEventStateIds,
    common_state_ids: commonStateIds,
    events: events.map(({ json }) => json),
    ...(options.isCompatible && compatFields(snapshot)),
  };
}

function compatFields({ currentStateIds, latestEventStateIds, events }: PeekSnapshot) {
  const byId = new Map(events.map((event) => [event.eventId, event]));
  const jsonOf = (ids: Iterable<EventId>) =>
    [...ids].flatMap((id) => (byId.has(id) ? [(byId.get(id) as PduRecord).json] : []));
  const latest: readonly PduJson[] = jsonOf(Object.keys(latestEventStateIds) as EventId[]);
  const cited = new Set(events.flatMap(({ json }) => authEventsOf(json)));
  return {
    state: jsonOf(currentStateIds),
    auth_chain: jsonOf(cited),
    messages: latest,
    ...(latest[0] !== undefined && { latest_event: latest[0] }),
  };
}

/** Of either format: ids, or pairs of an id and hashes. */
function authEventsOf({ auth_events: cited }: PduJson): EventId[] {
  if (!Array.isArray(cited)) return [];
  return cited.map((one) => (Array.isArray(one) ? one[0] : one) as EventId);
}
