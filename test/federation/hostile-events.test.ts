// What a hostile server sends of its own accord: nothing is accepted that the rules refuse, nothing is left behind, and what
// is right goes on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pdu, PduJson } from '../../src/protocol/events/pdu.ts';
import { contentHashOf } from '../../src/protocol/hashing.ts';
import type { EventId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { signPdu } from '../../src/protocol/signing.ts';
import { generateSigningKey } from '../../src/protocol/signing-key.ts';
import { type SharedRoom, type Siege, useSiege } from './hostile-scene.ts';

const siege = useSiege();

type Attack = (siege: Siege, room: SharedRoom) => readonly (Pdu | JsonObject)[];

/** All that is sent of them is dropped, whoever sends it. */
const DROPPED: Readonly<Record<string, Attack>> = {
  'in the name of a user of the attacked server': ({ ann }, { theirs }) => [
    theirs.build({ type: 'm.room.message', sender: ann.client.userId }),
  ],
  'signed by the attacker in the name of the other': ({ ann, eve, server }, { theirs }) => [
    theirs.build({
      type: 'm.room.message',
      sender: ann.client.userId,
      signedBy: { name: server.name as never, signingKey: eve.signingKey, now: Date.now },
    }),
  ],
  'signed by a key that the server does not publish': ({ eve }, { theirs, userId }) => [
    theirs.build({
      type: 'm.room.message',
      sender: userId,
      signedBy: { name: eve.name, signingKey: generateSigningKey(), now: Date.now },
    }),
  ],
  'without signatures': (_, room) => {
    const { signatures: _none, ...json } = siege().message(room, 'unsigned').json;
    return [json, { ...json, signatures: {} }, { ...json, signatures: [] as never }];
  },
  'with signatures that are none': (_, room) => {
    const { json } = siege().message(room, 'badly signed');
    const [server = ''] = Object.keys(json.signatures ?? {});
    const [key = ''] = Object.keys((json.signatures?.[server] ?? {}) as object);
    const wrong = [1, null, {}, [], '', 'AAAA', 'a'.repeat(86), '!'.repeat(86)];
    return wrong.map((one) => ({ ...json, signatures: { [server]: { [key]: one as never } } }));
  },
  'signed a thousand times': ({ eve }, room) => {
    const { json } = siege().message(room, 'much signed');
    const ids = Array.from({ length: 1000 }, (_, n) => [`ed25519:k${n}`, 'A'.repeat(86)]);
    return [{ ...json, signatures: { [eve.name]: Object.fromEntries(ids) } }];
  },
  'of more than 65,536 bytes': ({ eve }, room) => {
    const by = { serverName: eve.name, key: eve.signingKey };
    const { signatures: _none, ...json } = siege().message(room, 'short').json;
    const content = { msgtype: 'm.text', body: 'x'.repeat(65_536) };
    const large = { ...json, content } as PduJson;
    const hashes = { sha256: contentHashOf(large, room.theirs.rules) };
    return [signPdu({ ...large, hashes }, room.theirs.rules, by)];
  },
  'with floats and numbers beyond 2^53': ({ eve }, room) => {
    const by = { serverName: eve.name, key: eve.signingKey };
    return [0.5, 2 ** 53, -(2 ** 53), 1e300].map((n) => {
      const { json } = siege().message(room, `${n}`);
      const content = { ...json.content, n };
      const lenient = { ...room.theirs.rules, strictCanonicalJson: false };
      return signPdu({ ...json, content } as PduJson, lenient, by);
    });
  },
  'of negative or huge depth, or time': (_, room) =>
    [-1, 2 ** 53, 1e19].flatMap((n) => {
      const { json } = siege().message(room, `${n}`);
      return [
        { ...json, depth: n },
        { ...json, origin_server_ts: n === -1 ? 1e19 : n },
      ];
    }),
  'of wrong shape': (_, room) => {
    const { json } = siege().message(room, 'shapeless');
    const wrong: JsonObject[] = [
      { type: 7 },
      { type: 'x'.repeat(256) },
      { state_key: {} },
      { state_key: 'k'.repeat(256) },
      { sender: 'nobody' },
      { sender: `@${'u'.repeat(300)}:x` },
      { content: [] },
      { content: 'text' },
      { prev_events: {} },
      { prev_events: ['x'] },
      { prev_events: Array.from({ length: 21 }, (_, n) => `$${String(n).padStart(43, 'a')}`) },
      { auth_events: Array.from({ length: 11 }, (_, n) => `$${String(n).padStart(43, 'a')}`) },
      { auth_events: null as never },
      { hashes: 'none' },
      { depth: '5' },
      { origin_server_ts: null as never },
    ];
    return wrong.map((one) => ({ ...json, ...one }));
  },
  'of another m.room.create': (_, { theirs, userId }) => [
    theirs.build({
      type: 'm.room.create',
      sender: userId,
      stateKey: '',
      content: { creator: userId, room_version: theirs.version },
      prevEvents: [],
      authEvents: [],
    }),
  ],
};

for (const [name, attack] of Object.entries(DROPPED)) {
  test(`events ${name}`, async () => {
    const room = await siege().room();
    const before = await siege().standings(room.roomId);
    const { status } = await siege().eve.send(siege().server.name, attack(siege(), room));
    assert.equal(status, 200);
    await siege().goesOn(room);
    const all = await siege().standings(room.roomId);
    assert.equal(all.size, before.size + 2, JSON.stringify([...all]));
    assert.equal(await siege().staged(room.roomId), 0);
  });
}

/** Kept, so that what refers to them can be judged, but never shown. */
const REJECTED: Readonly<Record<string, Attack>> = {
  'state that the sender may not change': (_, { theirs, userId }) => [
    theirs.build({
      type: 'm.room.power_levels',
      sender: userId,
      stateKey: '',
      content: { users: { [userId]: 100 } },
    }),
    theirs.build({
      type: 'm.room.member',
      sender: userId,
      stateKey: siege().ann.client.userId,
      content: { membership: 'ban' },
    }),
  ],
  'two of the same auth_events': (_, { theirs, userId }) => {
    const state = theirs.stateEvents();
    const ids = state.flatMap(({ type, eventId }) => (/create|power/.test(type) ? [eventId] : []));
    const mine = theirs.current('m.room.member', userId)?.eventId as EventId;
    const authEvents = [...ids, mine, mine];
    return [theirs.build({ type: 'm.room.message', sender: userId, authEvents })];
  },
  'without the create event among the auth_events': (_, { theirs, userId }) => [
    theirs.build({
      type: 'm.room.message',
      sender: userId,
      authEvents: [theirs.current('m.room.member', userId)?.eventId as EventId],
    }),
  ],
  'by somebody who is not there': ({ eve }, { theirs }) => [
    theirs.build({ type: 'm.room.message', sender: eve.user('absent') }),
  ],
};

for (const [name, attack] of Object.entries(REJECTED)) {
  test(`events that are rejected: ${name}`, async () => {
    const room = await siege().room();
    const before = await siege().standings(room.roomId);
    const events = attack(siege(), room) as readonly Pdu[];
    await siege().eve.send(siege().server.name, events);
    const on = await siege().goesOn(room);
    const after = await siege().standings(room.roomId);
    for (const { eventId } of events) assert.equal(after.get(eventId), 'rejected');
    assert.equal(after.size, before.size + 2 + events.length);
    const shown = siege()
      .ann.timeline(room.roomId)
      .map(({ event_id }) => event_id);
    assert.ok(shown.includes(on));
    for (const { eventId } of events) assert.ok(!shown.includes(eventId));
    const { extremities } = await siege().server.stored(room.roomId);
    for (const { eventId } of events) assert.ok(!extremities.includes(eventId));
  });
}

test('events for rooms that the attacker is not in', async () => {
  const { ann, eve, server } = siege();
  const club = await ann.client.createRoom({ preset: 'public_chat', room_version: '11' });
  const room = await siege().room();
  const { json } = siege().message(room, 'intruder');
  const before = await siege().standings(club);
  const by = { serverName: eve.name, key: eve.signingKey };
  const { signatures: _, ...unsigned } = json;
  const forged = signPdu({ ...unsigned, room_id: club } as PduJson, room.theirs.rules, by);
  const elsewhere = { ...forged, room_id: `!nowhere:${server.name}` };
  const { status } = await eve.send(server.name, [forged as JsonObject, elsewhere as JsonObject]);
  assert.equal(status, 200);
  await siege().goesOn(room);
  assert.deepEqual(await siege().standings(club), before);
});

test('auth_events of another room', async () => {
  const room = await siege().room();
  const other = await siege().room();
  const { userId } = other;
  const authEvents = other.theirs
    .stateEvents()
    .flatMap(({ type, eventId, stateKey }) =>
      /create|power_levels/.test(type) || stateKey === userId ? [eventId] : [],
    );
  const forged = siege().message({ ...room, userId }, 'from elsewhere', { authEvents });
  await siege().eve.send(siege().server.name, [forged]);
  await siege().goesOn(room);
  const standing = (await siege().standings(room.roomId)).get(forged.eventId);
  assert.ok(standing === undefined || standing === 'rejected', String(standing));
});

test('content that does not match its hash is redacted', async () => {
  const room = await siege().room();
  const altered = room.theirs.altered(siege().message(room, 'said'), {
    content: { msgtype: 'm.text', body: 'never said' },
  });
  await siege().eve.send(siege().server.name, [altered]);
  await siege().goesOn(room);
  const shown = siege().ann.timeline(room.roomId);
  assert.deepEqual(shown.find(({ event_id }) => event_id === altered.eventId)?.content, {});
});

test('prev_events and auth_events that refer to each other', async () => {
  const room = await siege().room('1');
  const { theirs, userId: sender } = room;
  const { eve, server } = siege();
  const id = (name: string) => `$${name}${sender.slice(1, 6)}:${eve.name}` as EventId;
  const by = { serverName: eve.name, key: eve.signingKey };
  const circular = (name: string, refers: { prev: string; auth?: string }) => {
    const { signatures: _, ...json } = siege().message(room, name).json;
    const reference = (to: string) => [id(to), { sha256: 'A'.repeat(43) }] as never;
    const more = refers.auth === undefined ? [] : [reference(refers.auth)];
    const event = {
      ...json,
      event_id: id(name),
      prev_events: [reference(refers.prev)],
      auth_events: [...((json.auth_events ?? []) as never[]), ...more],
    };
    return signPdu(event as never, theirs.rules, by) as JsonObject;
  };
  const before = await siege().standings(room.roomId);
  const { status } = await eve.send(server.name, [
    circular('self', { prev: 'self', auth: 'self' }),
    circular('one', { prev: 'two' }),
    circular('two', { prev: 'one' }),
    circular('three', { prev: 'four', auth: 'four' }),
    circular('four', { prev: 'three', auth: 'three' }),
  ]);
  assert.equal(status, 200);
  assert.equal(sender.startsWith('@'), true);
  await siege().goesOn(room);
  const after = await siege().standings(room.roomId);
  const extra = [...after].filter(([event]) => !before.has(event));
  assert.deepEqual(extra.map(([, standing]) => standing).sort(), ['accepted', 'accepted']);
});

test('transactions beyond their bounds change nothing', async () => {
  const { eve, server } = siege();
  const room = await siege().room();
  const pdus = Array.from({ length: 51 }, (_, n) => siege().message(room, `one of many ${n}`));
  const edu = {
    edu_type: 'm.typing',
    content: { room_id: room.roomId, user_id: room.userId, typing: true },
  };
  const before = await siege().standings(room.roomId);
  for (const [some, edus] of [
    [pdus, []],
    [pdus.slice(0, 1), Array(101).fill(edu)],
  ] as const) {
    const { status, body } = await eve.send(server.name, some, edus);
    assert.deepEqual([status, body.errcode], [400, 'M_BAD_JSON']);
  }
  assert.deepEqual(await siege().standings(room.roomId), before);
  assert.equal(await siege().staged(room.roomId), 0);
  await siege().goesOn(room);
});

test('JSON that is a bomb', async () => {
  const room = await siege().room();
  const before = await siege().count('events');
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
  const wide = `[${'{},'.repeat(3_000_000)}{}]`;
  const floats = `[${'0.5,'.repeat(2_000_000)}1]`;
  for (const bomb of [deep, wide, floats]) {
    const text = `{"origin":"x","pdus":[],"edus":[{"edu_type":"m.x","content":{"x":${bomb}}}]}`;
    const path = `/_matrix/federation/v1/send/bomb${bomb.length}`;
    const { status, body } = await siege().ask('PUT', path, text, {});
    assert.deepEqual([status, body.errcode], [400, 'M_BAD_JSON']);
  }
  const large = `{"origin":"x","pdus":[],"edus":[],"x":"${'x'.repeat(10 * 1024 * 1024)}"}`;
  const { status } = await siege().ask('PUT', '/_matrix/federation/v1/send/large', large, {});
  assert.equal(status, 413);
  assert.equal(await siege().count('events'), before);
  await siege().goesOn(room);
});

test('keys twice, __proto__, and text that cannot be kept', async () => {
  const room = await siege().room();
  const { json } = siege().message(room, 'twice');
  const good = JSON.stringify(json);
  const twice = good.replace('"body":"twice"', '"body":"once","body":"twice"');
  const answer = await siege().sendText(`{"origin":"x","pdus":[${twice}],"edus":[]}`);
  assert.equal(answer.status, 200);

  const polluted = [
    '{"__proto__":{"polluted":true},"msgtype":"m.text","body":"x"}',
    '{"constructor":{"prototype":{"polluted":true}},"body":"x"}',
  ].map((text) => siege().message(room, 'proto', { content: JSON.parse(text) }));
  const storable = [{ body: '\u0000' }, { '\u0000': 1 }].map((content) =>
    siege().message(room, 'nul', { content }),
  );
  const texts = [...polluted, ...storable].map((pdu) => JSON.stringify(pdu.json));
  const surrogate = good.replace('"body":"twice"', '"body":"\\ud800"');
  for (const text of texts) {
    const { status } = await siege().sendText(`{"origin":"x","pdus":[${text}],"edus":[]}`);
    assert.equal(status, 200, text);
  }
  // It has no canonical form that could be signed.
  const path = '/_matrix/federation/v1/send/surrogate';
  const refused = await siege().ask('PUT', path, `{"pdus":[${surrogate}]}`, {});
  assert.deepEqual([refused.status, refused.body.errcode], [400, 'M_BAD_JSON']);
  await siege().goesOn(room);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  for (const [, standing] of await siege().standings(room.roomId))
    assert.ok(['accepted', 'outlier'].includes(standing), standing);
});

test('the far future and the far past', async () => {
  const room = await siege().room();
  const times = [0, 2 ** 53 - 1];
  const events = times.map((originServerTs) =>
    siege().message(room, `${originServerTs}`, { originServerTs, depth: 2 ** 53 - 1 }),
  );
  const { status } = await siege().eve.send(siege().server.name, events);
  assert.equal(status, 200);
  await siege().goesOn(room);
  const own = await siege().ann.client.send(room.roomId, 'after the greatest depth');
  await siege().ann.seesId(room.roomId, own);
});

test('EDUs in the name of others, and of rooms in which the attacker is not', async () => {
  const { ann, eve, server } = siege();
  const room = await siege().room();
  const club = await ann.client.createRoom({ preset: 'public_chat' });
  const said = await ann.client.send(club, 'among us');
  const bob = await siege().scene.user(0, 'bob');
  const receipt = (roomId: string, userId: string) => ({
    edu_type: 'm.receipt',
    content: { [roomId]: { 'm.read': { [userId]: { event_ids: [said], data: { ts: 1 } } } } },
  });
  const typing = (roomId: string, userId: string) => ({
    edu_type: 'm.typing',
    content: { room_id: roomId, user_id: userId, typing: true },
  });
  const absent = eve.user('absent');
  const edus: JsonObject[] = [
    typing(room.roomId, bob.client.userId),
    typing(club, room.userId),
    typing(room.roomId, absent),
    receipt(room.roomId, bob.client.userId),
    receipt(club, room.userId),
    receipt(room.roomId, absent),
    {
      edu_type: 'm.presence',
      content: { push: [{ user_id: bob.client.userId, presence: 'unavailable' }, null] as never },
    },
    {
      edu_type: 'm.direct_to_device',
      content: {
        sender: bob.client.userId,
        type: 'm.room_key',
        message_id: 'forged',
        messages: { [ann.client.userId]: { '*': { from: 'nobody' } } },
      },
    },
    {
      edu_type: 'm.device_list_update',
      content: { user_id: bob.client.userId, device_id: 'X', stream_id: 1, prev_id: [] },
    },
    { edu_type: 'm.signing_key_update', content: { user_id: bob.client.userId } },
    { edu_type: '__proto__', content: {} },
    { edu_type: 'constructor', content: {} },
  ];
  const { status, body } = await eve.send(server.name, [], edus);
  assert.deepEqual([status, body], [200, { pdus: {} }]);
  await siege().goesOn(room);
  await ann.poll();
  for (const roomId of [room.roomId, club]) {
    const told = JSON.stringify(ann.ephemeral(roomId));
    for (const userId of [bob.client.userId, absent]) assert.ok(!told.includes(userId), told);
    if (roomId === club) assert.ok(!told.includes(room.userId), told);
  }
  assert.deepEqual(ann.toDevice, []);
  assert.ok(!ann.devicesChanged.includes(bob.client.userId));
});
