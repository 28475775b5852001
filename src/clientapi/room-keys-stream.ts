// Keys of a backup as a stream of JSON: there may be more than memory holds.

import { Readable } from 'node:stream';
import { type Reply, reply } from '../http/reply.ts';
import type { UserserverApi } from '../userserver/api.ts';
import { keyBody } from './key-backup.ts';

type Wanted = Parameters<UserserverApi['queryRoomKeysAfter']>[0];
type Page = Awaited<ReturnType<UserserverApi['queryRoomKeysAfter']>>;
type Keys = Pick<UserserverApi, 'queryRoomKeysAfter'>;

/** Rejects before anything is answered, as `queryRoomKeysAfter` does. */
async function pagesOf(userserver: Keys, wanted: Wanted): Promise<AsyncIterable<Page>> {
  const first = await userserver.queryRoomKeysAfter(wanted);
  return pagesFrom(first);

  async function* pagesFrom(page: Page): AsyncGenerator<Page> {
    let next = page;
    for (let after = next.at(-1); after !== undefined; after = next.at(-1)) {
      yield next;
      next = await userserver.queryRoomKeysAfter({ ...wanted, after });
    }
  }
}

/** The body of `GET /room_keys/keys`. */
export async function roomsStream(userserver: Keys, wanted: Wanted): Promise<Reply> {
  const pages = await pagesOf(userserver, wanted);
  return streamed(async function* () {
    let room: string | undefined;
    yield '{"rooms":{';
    for await (const page of pages) {
      let text = '';
      for (const { roomId, sessionId, key } of page) {
        if (roomId === room) text += ',';
        else text += `${room === undefined ? '' : '}},'}${JSON.stringify(roomId)}:{"sessions":{`;
        room = roomId;
        text += member(sessionId, key);
      }
      yield text;
    }
    yield room === undefined ? '}}' : '}}}}';
  });
}

/** The body of `GET /room_keys/keys/{roomId}`. */
export async function sessionsStream(userserver: Keys, wanted: Wanted): Promise<Reply> {
  const pages = await pagesOf(userserver, wanted);
  return streamed(async function* () {
    let separator = '{"sessions":{';
    for await (const page of pages) {
      yield separator + page.map(({ sessionId, key }) => member(sessionId, key)).join(',');
      separator = ',';
    }
    yield separator === ',' ? '}}' : `${separator}}}`;
  });
}

function member(sessionId: string, key: Page[number]['key']): string {
  return `${JSON.stringify(sessionId)}:${JSON.stringify(keyBody(key))}`;
}

function streamed(text: () => AsyncGenerator<string>): Reply {
  return reply({
    headers: { 'content-type': 'application/json' },
    body: Readable.from(text(), { objectMode: false, highWaterMark: 1 }),
  });
}
