// roomserver_state_nodes: nodes of the persistent state maps, by room and content hash. Never changed, only added.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { RoomId } from '../../protocol/identifiers.ts';

export type StateNodeRow = {
  readonly room_id: RoomId;
  readonly node_id: string;
  readonly content: string;
};

export function selectNodes(
  from: Queryable,
  roomId: RoomId,
  nodeIds: readonly string[],
): Promise<Pick<StateNodeRow, 'node_id' | 'content'>[]> {
  return from.all(
    sql`SELECT node_id, content FROM roomserver_state_nodes
      WHERE room_id = ${roomId} AND node_id IN ${list('text', nodeIds)}`,
  );
}

export async function insertNodes(tx: Transaction, nodes: readonly StateNodeRow[]): Promise<void> {
  const columns = { room_id: 'text', node_id: 'text', content: 'text' } as const;
  await tx.run(
    sql`INSERT INTO roomserver_state_nodes (room_id, node_id, content)
      SELECT room_id, node_id, content FROM ${rows(columns, nodes)}
      WHERE true ON CONFLICT DO NOTHING`,
  );
}
