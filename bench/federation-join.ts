// What it takes to join a room of very many members over federation.

import { largeForeignRoom } from './large-foreign-room.ts';
import { costLine } from './report.ts';
import { WatchedServer } from './watched-server.ts';

const GOAL = { peakMb: 512, turnMs: 200 };

export async function benchJoin(options: {
  readonly members: number;
  readonly servers: number;
}): Promise<void> {
  const foreign = await largeForeignRoom(options);
  const server = await WatchedServer.start();
  try {
    const { members, servers } = options;
    const mb = (foreign.bytes / 2 ** 20).toFixed(1);
    console.log(`\na room of ${members} members on ${servers} servers, ${mb} MB of state`);
    const user = await server.user('joiner');
    await user.sync();
    const { roomId } = foreign.room;
    const via = encodeURIComponent(foreign.servers[0]?.name ?? '');
    const path = `/v3/join/${encodeURIComponent(roomId)}?via=${via}`;
    const joined = await server.cost(() => user.ok('POST', path, {}));
    console.log(costLine('join', joined.cost, GOAL));
    const filter = JSON.stringify({ room: { state: { lazy_load_members: true } } });
    const synced = await server.cost(() => user.sync({ filter }));
    console.log(costLine('the first /sync, lazy', synced.cost, GOAL));
    const all = await server.cost(() => user.sync());
    console.log(costLine('a whole /sync', all.cost, GOAL));
    const found = all.result.rooms.join[roomId].state.events.length;
    if (found < members) throw new Error(`only ${found} events of state`);
  } finally {
    await server.remove();
    await foreign.close();
  }
}
