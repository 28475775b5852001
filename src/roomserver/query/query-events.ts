// Events as they may be shown to whoever may see them.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import type { RoomserverApi, StoredEvent } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { EventRecord } from '../event-record.ts';
import { EMPTY_STATE } from '../state/snapshot.ts';

type Context = Pick<RoomserverContext, 'events'>;

export async function queryEvents(
  context: Context,
  { eventIds, includeSoftFailed = false }: Parameters<RoomserverApi['queryEvents']>[0],
): Promise<StoredEvent[]> {
  const records = await context.events.load(eventIds);
  const shown: EventRecord[] = [];
  for (const id of eventIds) {
    const record = records.get(id);
    if (record !== undefined && isShown(record, includeSoftFailed)) shown.push(record);
  }
  return toStoredEvents(context, shown);
}

function isShown({ standing, reason }: EventRecord, includeSoftFailed: boolean): boolean {
  if (standing === 'softFailed') return includeSoftFailed;
  // An accepted event with a reason is a redaction that does not apply.
  return standing !== 'rejected' && reason === undefined;
}

async function toStoredEvents(
  { events }: Context,
  records: readonly EventRecord[],
): Promise<StoredEvent[]> {
  const redactions: EventId[] = [];
  for (const { redactedBy } of records) if (redactedBy !== undefined) redactions.push(redactedBy);
  const loaded = redactions.length === 0 ? undefined : await events.load(redactions);
  return records.map((record) => {
    const { pdu, stateBefore, visibility, replacesState, redactedBy } = record;
    const redactedBecause = redactedBy && loaded?.get(redactedBy)?.pdu;
    return {
      eventId: pdu.eventId,
      roomVersion: pdu.roomVersion,
      json: pdu.json,
      stateBefore: stateBefore ?? OUTLIER_STATE,
      visibilityAtEvent: visibility ?? 'shared',
      ...(redactedBecause !== undefined && { redactedBecause }),
      ...(replacesState !== undefined && { replacesState }),
    };
  });
}

/** Of events that are known for their content only. */
const OUTLIER_STATE: StateSnapshotId = EMPTY_STATE;
