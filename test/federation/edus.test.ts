// What travels beside events: typing, receipts, presence, messages to devices, and lists of devices.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Any, change, isMember, leave, roomPath, useNetwork } from './scene.ts';

const scene = useNetwork({ servers: 2 });
const encode = encodeURIComponent;

async function both(): Promise<{ ann: Any; ben: Any; room: string }> {
  const [ann, ben] = [await scene().user(0, 'ann'), await scene().user(1, 'ben')];
  return { ann, ben, room: await scene().sharedRoom(ann, [ben]) };
}

test('typing, and its end', async () => {
  const { ann, ben, room } = await both();
  const typing = (event: Any) => event.type === 'm.typing' && event.content.user_ids;
  const path = roomPath(room, `typing/${encode(ann.client.userId)}`);
  await ann.client.ok('PUT', path, { typing: true, timeout: 30_000 });
  const last = () => ben.ephemeral(room).filter(typing).at(-1)?.content.user_ids;
  await ben.until(() => last()?.includes(ann.client.userId), 'typing');
  await ann.client.ok('PUT', path, { typing: false });
  await ben.until(() => last()?.length === 0, 'the end of typing');
});

test('receipts both ways; private ones stay', async () => {
  const { ann, ben, room } = await both();
  const id = await ann.client.send(room, 'read me');
  await ben.seesId(room, id);
  await ben.client.ok('POST', roomPath(room, `receipt/m.read/${encode(id)}`), {});
  const isRead = () =>
    ann
      .ephemeral(room)
      .some(
        ({ type, content }: Any) =>
          type === 'm.receipt' && content[id]?.['m.read']?.[ben.client.userId] !== undefined,
      );
  await ann.until(isRead, 'a receipt');
  const other = await ben.client.send(room, 'and me');
  await ann.seesId(room, other);
  await ann.client.ok('POST', roomPath(room, `receipt/m.read.private/${encode(other)}`), {});
  const last = await ann.client.send(room, 'after it');
  await ben.seesId(room, last);
  const { exchanges } = scene().network.link(0, 1);
  assert.ok(exchanges.every(({ body }) => !body.includes('m.read.private')));
});

test('presence of those who share a room', async () => {
  const { ann, ben } = await both();
  const path = `/v3/presence/${encode(ann.client.userId)}/status`;
  await ann.client.ok('PUT', path, { presence: 'unavailable', status_msg: 'gardening' });
  const isTold = () =>
    ben.presence.some(
      ({ sender, content }: Any) =>
        sender === ann.client.userId && content.status_msg === 'gardening',
    );
  await ben.until(isTold, 'presence');
});

test('messages to devices, once each, also when answers are lost', async () => {
  const { ann, ben } = await both();
  const { userId, deviceId } = ben.client;
  const link = scene().network.link(0, 1);
  const bodies = [...Array(5).keys()].map((n) => `message ${n}`);
  for (const [n, body] of bodies.entries()) {
    if (n === 2) link.next('/send/', 'twice');
    const messages = { [userId]: { [deviceId]: { body } } };
    await ann.client.ok('PUT', `/v3/sendToDevice/test.type/${encode(userId)}${n}`, { messages });
  }
  await ben.until(() => ben.toDevice.length >= bodies.length, 'messages');
  assert.deepEqual(
    ben.toDevice.map(({ content }: Any) => content.body),
    bodies,
  );
  assert.equal(ben.toDevice[0].sender, ann.client.userId);
});

test('keys of devices are asked for, claimed, and their changes are told', async () => {
  const { ann, ben, room } = await both();
  const { userId, deviceId } = ann.client;
  const { userId: benId } = ben.client;
  await leave(ben.client, room);
  await ann.sees(room, (event: Any) => isMember(event, benId, 'leave'), 'the leave');
  await change(ann.client, room, 'invite', ben.client.userId);
  await ben.client.ok('POST', `/v3/join/${encode(room)}?via=${encode(scene().serverName(0))}`, {});
  const device_keys = {
    user_id: userId,
    device_id: deviceId,
    algorithms: ['m.olm.v1.curve25519-aes-sha2'],
    keys: { [`curve25519:${deviceId}`]: 'a', [`ed25519:${deviceId}`]: 'b' },
    signatures: {},
  };
  const one_time_keys = { 'signed_curve25519:A': { key: 'c', signatures: {} } };
  await ann.client.ok('POST', '/v3/keys/upload', { device_keys, one_time_keys });
  await ben.until(() => ben.devicesChanged.includes(userId), 'a changed device list');
  const { device_keys: queried } = await ben.client.ok('POST', '/v3/keys/query', {
    device_keys: { [userId]: [] },
  });
  assert.equal(queried[userId][deviceId].keys[`ed25519:${deviceId}`], 'b');
  const { one_time_keys: claimed } = await ben.client.ok('POST', '/v3/keys/claim', {
    one_time_keys: { [userId]: { [deviceId]: 'signed_curve25519' } },
  });
  assert.equal(claimed[userId][deviceId]['signed_curve25519:A'].key, 'c');
  await leave(ben.client, room);
});
