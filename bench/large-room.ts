// `node bench/large-room.ts`: what a room of very many local members costs, and a user in very many rooms. Each
// line: how long an operation takes, how many statements it makes, and how long it held up the event loop at most.
//
//   node bench/large-room.ts [--members N] [--rooms N] [--online N]

import { parseArgs } from 'node:util';
import { BenchServer, type BenchUser } from './bench-server.ts';

const { values } = parseArgs({
  options: {
    members: { type: 'string', default: '10000' },
    rooms: { type: 'string', default: '2000' },
    online: { type: 'string', default: '50' },
  },
});
const members = Number(values.members);
const rooms = Number(values.rooms);
const online = Number(values.online);

const server = await BenchServer.start();
try {
  await largeRoom(server);
  await manyRooms(server);
} finally {
  await server.close();
}

async function largeRoom(bench: BenchServer): Promise<void> {
  console.log(`\na room of ${members} members, ${online} of whom wait in /sync`);
  const [admin] = await bench.users('admin', 1);
  const others = await bench.users('member', members);
  const newcomers = await bench.users('newcomer', 30);
  if (admin === undefined) throw new Error('no admin');
  const { room_id: room } = await admin.call('POST', '/createRoom', { preset: 'public_chat' });
  const at = `/rooms/${encodeURIComponent(room)}`;
  const start = performance.now();
  await bench.inParallel(others, 64, (user) => user.call('POST', `${at}/join`, {}));
  const perJoin = (performance.now() - start) / members;
  console.log(`joined, per member: ${perJoin.toFixed(2)} ms`);

  const first = others[0] as BenchUser;
  const lazy = { room: { state: { lazy_load_members: true } } };
  await bench.measure('initial /sync, cold', 1, () => first.sync({}));
  await bench.measure('initial /sync', 3, () => first.sync({}));
  await bench.measure('initial /sync, lazy', 3, () => first.sync({ filter: lazy }));
  await bench.measure('incremental /sync, nothing new', 20, () => first.poll());

  for (const user of others.slice(1, 1 + online)) await user.sync({ filter: lazy });
  const pollers = others.slice(1, 1 + online).map((user) => user.keepPolling(lazy));
  const message = { msgtype: 'm.text', body: 'hello' };
  let n = 0;
  const send = () => {
    n += 1;
    return admin.call('PUT', `${at}/send/m.room.message/${n}`, message);
  };
  await bench.measure('send', 50, send);
  await bench.measure('send, then /sync of a member', 20, async () => {
    await send();
    await first.poll();
  });
  await bench.measure('state change', 20, () => {
    n += 1;
    return admin.call('PUT', `${at}/state/m.room.topic`, { topic: `topic ${n}` });
  });
  let next = 0;
  await bench.measure('join', 20, () => newcomers[next++]?.call('POST', `${at}/join`, {}));
  await bench.measure('initial /sync of a newcomer, lazy', 1, () =>
    newcomers[0]?.sync({ filter: lazy }),
  );
  await bench.measure('join, then incremental /sync, lazy', 5, async () => {
    const user = newcomers[next++] as BenchUser;
    await user.sync({ filter: lazy });
    await user.call('POST', `${at}/join`, {});
    await user.poll(lazy);
  });
  let kicked = 0;
  await bench.measure('kick', 10, () =>
    admin.call('POST', `${at}/kick`, { user_id: newcomers[kicked++]?.userId }),
  );
  await bench.measure('invite', 5, () =>
    admin.call('POST', `${at}/invite`, { user_id: newcomers[--kicked]?.userId }),
  );
  await bench.measure('typing', 10, (i) =>
    admin.call('PUT', `${at}/typing/${admin.userId}`, { typing: i % 2 === 0, timeout: 30_000 }),
  );
  const { event_id: eventId } = await send();
  await bench.measure('receipt', 10, (i) =>
    others[i + 100]?.call('POST', `${at}/receipt/m.read/${encodeURIComponent(eventId)}`, {}),
  );
  await bench.measure('presence', 10, (i) =>
    admin.call('PUT', `/presence/${admin.userId}/status`, {
      presence: i % 2 === 0 ? 'unavailable' : 'online',
    }),
  );
  await bench.measure('profile change', 5, (i) =>
    admin.call('PUT', `/profile/${admin.userId}/displayname`, { displayname: `admin ${i}` }),
  );
  await bench.measure('/members', 3, () => admin.call('GET', `${at}/members`));
  await bench.measure('/joined_members', 3, () => admin.call('GET', `${at}/joined_members`));
  await bench.measure('/state', 3, () => admin.call('GET', `${at}/state`));
  await bench.measure('/messages, 100 of them', 5, () =>
    admin.call('GET', `${at}/messages?dir=b&limit=100`),
  );
  await bench.measure('/context', 5, () =>
    admin.call('GET', `${at}/context/${encodeURIComponent(eventId)}?limit=10`),
  );
  await bench.measure('/context, lazy', 5, () =>
    admin.call(
      'GET',
      `${at}/context/${encodeURIComponent(eventId)}?limit=10&filter=${encodeURIComponent('{"lazy_load_members":true}')}`,
    ),
  );
  await bench.measure('initialSync of the room', 2, () => admin.call('GET', `${at}/initialSync`));
  await bench.measure('login, first /sync (goes online)', 5, (i) =>
    others[i + 2000]?.sync({ filter: lazy, online: true }),
  );
  for (const poller of pollers) poller.stop();
  await Promise.all(pollers.map((poller) => poller.done));
  await bench.measure('purge', 1, () => bench.purge(room));
}

async function manyRooms(bench: BenchServer): Promise<void> {
  console.log(`\na user in ${rooms} rooms`);
  const [alice, bob] = (await bench.users('rover', 2)) as [BenchUser, BenchUser];
  const created: string[] = [];
  const numbers = Array.from({ length: rooms }, (_, i) => i);
  const start = performance.now();
  await bench.inParallel(numbers, 16, async (i) => {
    const body = { preset: 'public_chat', ...(i % 2 === 0 && { name: `room ${i}` }) };
    const { room_id: room } = await alice.call('POST', '/createRoom', body);
    created.push(room);
    await bob.call('POST', `/rooms/${encodeURIComponent(room)}/join`, {});
    await alice.call('PUT', `/user/${alice.userId}/rooms/${room}/tags/u.work`, { order: 0.5 });
  });
  console.log(`made and joined, per room: ${((performance.now() - start) / rooms).toFixed(2)} ms`);
  await bench.measure('initial /sync, cold', 1, () => alice.sync({}));
  await bench.measure('initial /sync', 2, () => alice.sync({}));
  await bench.measure('incremental /sync, nothing new', 20, () => alice.poll());
  await bob.sync({});
  const bobs = bob.keepPolling({});
  const at = `/rooms/${encodeURIComponent(created[7] ?? '')}`;
  let n = 0;
  await bench.measure('send, then /sync of the user', 20, async () => {
    n += 1;
    await bob.call('PUT', `${at}/send/m.room.message/${n}`, { msgtype: 'm.text', body: 'hi' });
    await alice.poll();
  });
  await bench.measure('account data, then /sync', 10, async (i) => {
    await alice.call('PUT', `/user/${alice.userId}/account_data/org.test`, { i });
    await alice.poll();
  });
  await bench.measure('presence of a neighbour, then /sync', 10, async (i) => {
    await bob.call('PUT', `/presence/${bob.userId}/status`, {
      presence: i % 2 === 0 ? 'unavailable' : 'online',
    });
    await alice.poll();
  });
  await bench.measure('join of one more room', 5, (i) =>
    alice
      .call('POST', '/createRoom', { preset: 'public_chat', name: `more ${i}` })
      .then(() => alice.poll()),
  );
  await bench.measure('/joined_rooms', 5, () => alice.call('GET', '/joined_rooms'));
  await bench.measure('profile change, until all rooms know', 1, async () => {
    await alice.call('PUT', `/profile/${alice.userId}/displayname`, { displayname: 'changed' });
    await bench.until(async () => {
      const member = `${at}/state/m.room.member/${alice.userId}`;
      return (await alice.call('GET', member)).displayname === 'changed';
    });
  });
  await bench.settled(3000);
  await bench.measure('incremental /sync after it', 1, () => alice.poll());
  bobs.stop();
  await bobs.done;
}
