// Filters as clients define them (Client-Server API, "Filtering").

import type { Static } from 'typebox';
import { Type } from '../json-schema.ts';

const strings = Type.Optional(Type.Array(Type.String()));
const userIds = Type.Optional(Type.Array(Type.String({ pattern: '^@' })));
const roomIds = Type.Optional(Type.Array(Type.String({ pattern: '^!' })));

const eventFilterProperties = {
  limit: Type.Optional(Type.Integer({ minimum: 0 })),
  not_senders: userIds,
  not_types: strings,
  senders: userIds,
  types: strings,
};

const eventFilter = Type.Object(eventFilterProperties);

export const roomEventFilter = Type.Object({
  ...eventFilterProperties,
  unread_thread_notifications: Type.Optional(Type.Boolean()),
  lazy_load_members: Type.Optional(Type.Boolean()),
  include_redundant_members: Type.Optional(Type.Boolean()),
  not_rooms: roomIds,
  rooms: roomIds,
  contains_url: Type.Optional(Type.Boolean()),
});

export const syncFilter = Type.Object({
  event_fields: strings,
  event_format: Type.Optional(Type.Union([Type.Literal('client'), Type.Literal('federation')])),
  presence: Type.Optional(eventFilter),
  account_data: Type.Optional(eventFilter),
  room: Type.Optional(
    Type.Object({
      not_rooms: roomIds,
      rooms: roomIds,
      include_leave: Type.Optional(Type.Boolean()),
      ephemeral: Type.Optional(roomEventFilter),
      state: Type.Optional(roomEventFilter),
      timeline: Type.Optional(roomEventFilter),
      account_data: Type.Optional(roomEventFilter),
    }),
  ),
});

export type SyncFilter = Static<typeof syncFilter>;
export type RoomEventFilter = Static<typeof roomEventFilter>;
