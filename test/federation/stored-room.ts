// What a server has stored of a room: for comparing servers beyond what they show to clients.

import type { Database } from '../../src/database/database.ts';
import { sql } from '../../src/database/sql.ts';

export interface StoredRow {
  readonly event_id: string;
  readonly type: string;
  readonly sender: string;
  readonly standing: string;
  readonly reason: string | null;
}

export interface StoredRoom {
  readonly events: readonly StoredRow[];
  readonly extremities: readonly string[];
}

export const EVENTS_OF_ROOM =
  'SELECT event_id, type, sender, standing, reason FROM roomserver_events WHERE room_id = ?';
export const EXTREMITIES_OF_ROOM = 'SELECT extremities FROM roomserver_rooms WHERE room_id = ?';

export async function storedRoom(database: Database, roomId: string): Promise<StoredRoom> {
  const events = await database.all<StoredRow>(
    sql`SELECT event_id, type, sender, standing, reason FROM roomserver_events WHERE room_id = ${roomId}`,
  );
  const [room] = await database.all<{ extremities: string }>(
    sql`SELECT extremities FROM roomserver_rooms WHERE room_id = ${roomId}`,
  );
  return { events, extremities: extremitiesOf(room?.extremities) };
}

/** As stored: `[[event id, depth, state], …]`. */
export function extremitiesOf(text: string | undefined): readonly string[] {
  return (JSON.parse(text ?? '[]') as [string][]).map(([eventId]) => eventId).sort();
}
