import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MatrixError } from '../../protocol/error.ts';
import type { DeviceId, RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { ClientapiContext } from '../context.ts';
import { checkContent } from './content.ts';
import type { EventContent } from './event-content.ts';

const roomId = '!room:example.org' as RoomId;
const viewer = {
  userId: '@alice:example.org' as UserId,
  deviceId: 'D' as DeviceId,
  isGuest: false,
};

interface Room {
  readonly aliases?: Readonly<Record<string, string>>;
  readonly canonicalAlias?: JsonObject;
  readonly annotations?: readonly JsonObject[];
  readonly isRetransmission?: boolean;
}

function check(room: Room, event: Omit<EventContent, 'roomId'>): Promise<void> {
  const roomserver = {
    queryAlias: async ({ alias }: { alias: string }) => {
      const target = room.aliases?.[alias];
      if (target === undefined) throw new MatrixError('M_NOT_FOUND', 'no such alias');
      return { roomId: target, servers: [] };
    },
    queryStateEvents: async () =>
      room.canonicalAlias === undefined ? [] : [{ json: { content: room.canonicalAlias } }],
    queryTransaction: async () => (room.isRetransmission ? { eventId: '$first' } : undefined),
  };
  const syncserver = { relations: async () => ({ chunk: room.annotations ?? [] }) };
  const context = { roomserver, syncserver } as unknown as ClientapiContext;
  return checkContent(context, viewer, { roomId, ...event });
}

const fails = (errcode: string) => (error: unknown) =>
  error instanceof MatrixError && error.errcode === errcode;

const canonicalAlias = (content: JsonObject) =>
  ({ type: 'm.room.canonical_alias', stateKey: '', content }) as const;

test('a canonical alias has to lead to the room', async () => {
  const room = { aliases: { '#a:example.org': roomId, '#b:example.org': '!other:example.org' } };
  await check(room, canonicalAlias({ alias: '#a:example.org', alt_aliases: ['#a:example.org'] }));
  await check(room, canonicalAlias({}));
  await check(room, canonicalAlias({ alias: null, alt_aliases: [] }));
  for (const content of [
    { alias: '#b:example.org' },
    { alias: '#none:example.org' },
    { alt_aliases: ['#a:example.org', '#b:example.org'] },
  ]) {
    await assert.rejects(check(room, canonicalAlias(content)), fails('M_BAD_ALIAS'));
  }
  for (const content of [{ alias: '%a:example.org' }, { alias: 1 }, { alt_aliases: 'a' }]) {
    await assert.rejects(check(room, canonicalAlias(content)), fails('M_INVALID_PARAM'));
  }
});

test('aliases that the event lists already are not checked again', async () => {
  const room = { canonicalAlias: { alias: '#gone:example.org', alt_aliases: ['%odd'] } };
  await check(room, canonicalAlias({ alias: '#gone:example.org', alt_aliases: ['%odd'] }));
  const added = canonicalAlias({ alias: '#gone:example.org', alt_aliases: ['#new:example.org'] });
  await assert.rejects(check(room, added), fails('M_BAD_ALIAS'));
});

test('power levels are integers', async () => {
  const levels = (content: JsonObject) =>
    check({}, { type: 'm.room.power_levels', stateKey: '', content });
  await levels({ ban: 50, users: { '@a:b': 100 }, events: {}, notifications: { room: -1 } });
  await levels({ ban: '50', 'org.example.other': [] });
  for (const content of [
    { ban: 1.5 },
    { ban: true },
    { ban: 'fifty' },
    { ban: null },
    { users: [] },
    { users: { '@a:b': {} } },
    { events: { 'm.room.name': '0x10' } },
  ]) {
    await assert.rejects(levels(content), fails('M_BAD_JSON'), JSON.stringify(content));
  }
});

function annotation(key: string, sender: string = viewer.userId): JsonObject {
  return { sender, content: { 'm.relates_to': relation(key) } };
}

function relation(key: string): JsonObject {
  return { rel_type: 'm.annotation', event_id: '$event', key };
}

test('a second annotation with the same key is refused', async () => {
  const event = { type: 'm.reaction', content: { 'm.relates_to': relation('+') } };
  await check({ annotations: [annotation('-'), annotation('+', '@bob:example.org')] }, event);
  const annotations = [annotation('+')];
  await assert.rejects(check({ annotations }, event), fails('M_DUPLICATE_ANNOTATION'));
  // Redacted, it has no relation any more.
  await check({ annotations: [{ sender: viewer.userId, content: {} }] }, event);
});

test('a retransmitted annotation is not a second one', async () => {
  const transaction = { userId: viewer.userId, deviceId: viewer.deviceId, scope: 's', id: 't' };
  const event = { type: 'm.reaction', content: { 'm.relates_to': relation('+') }, transaction };
  await check({ annotations: [annotation('+')], isRetransmission: true }, event);
});
