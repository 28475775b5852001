// A room of very many members of many other servers, all of which this process is: as one of them answers a join.

import type { Pdu } from '../src/protocol/events/pdu.ts';
import type { RoomVersionId } from '../src/protocol/roomversions/room-version.ts';
import type { ForeignRoom } from '../test/federation/foreign-room.ts';
import { HostileServer } from '../test/federation/hostile-server.ts';

export interface LargeForeignRoom {
  readonly room: ForeignRoom;
  /** The first answers joins. */
  readonly servers: readonly HostileServer[];
  readonly members: readonly Pdu[];
  /** Of the answer to send_join. */
  readonly bytes: number;
  close(): Promise<void>;
}

export async function largeForeignRoom(options: {
  readonly members: number;
  readonly servers: number;
  readonly version?: RoomVersionId;
}): Promise<LargeForeignRoom> {
  const servers: HostileServer[] = [];
  for (let n = 0; n < options.servers; n += 1) servers.push(await HostileServer.start());
  const [host] = servers as [HostileServer];
  const room = host.createRoom(options.version ?? '12');
  const state = room.stateEvents();
  const authEvents = state
    .filter(({ type }) => type === 'm.room.power_levels' || type === 'm.room.join_rules')
    .map(({ eventId }) => eventId);
  const create = state.find(({ type }) => type === 'm.room.create');
  if (create !== undefined && !room.rules.roomIdIsCreateEventId) authEvents.push(create.eventId);
  const members = memberEvents(room, { servers, authEvents, count: options.members });
  const last = members.at(-1)?.eventId ?? room.heads[0];
  if (last === undefined) throw new Error('the room is empty');
  const answer = JSON.stringify({
    origin: host.name,
    state: [...state, ...members].map(({ json }) => json),
    auth_chain: state.map(({ json }) => json),
    members_omitted: false,
  });
  host.on(/^\/_matrix\/federation\/v1\/make_join\/[^/]+\/([^/]+)$/, ({ parts: [userId = ''] }) => ({
    room_version: room.version,
    event: {
      ...room.template(userId, { membership: 'join' }),
      prev_events: [last],
      auth_events: authEvents,
      depth: options.members + 10,
    },
  }));
  host.on(/^\/_matrix\/federation\/v2\/send_join\//, (_asked, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    return undefined;
  });
  const close = async () => {
    for (const server of servers) await server.close();
  };
  return { room, servers, members, bytes: Buffer.byteLength(answer), close };
}

function memberEvents(
  room: ForeignRoom,
  {
    servers,
    authEvents,
    count,
  }: {
    readonly servers: readonly HostileServer[];
    readonly authEvents: Pdu['authEvents'];
    readonly count: number;
  },
): Pdu[] {
  const members: Pdu[] = [];
  let previous = room.heads;
  for (let n = 0; n < count; n += 1) {
    const server = servers[n % servers.length] as HostileServer;
    const sender = server.user(`member${n}`);
    const pdu = room.build({
      type: 'm.room.member',
      sender,
      stateKey: sender,
      content: {
        membership: 'join',
        displayname: `Member number ${n}`,
        avatar_url: `mxc://${server.name}/AVATARAVATARAVATARAVA${n}`,
      },
      prevEvents: previous,
      authEvents,
      depth: n + 10,
      signedBy: server,
    });
    members.push(pdu);
    previous = [pdu.eventId];
  }
  return members;
}
