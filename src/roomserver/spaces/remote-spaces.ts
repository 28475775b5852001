// Spaces of which other servers have to tell (Server-Server API, "GET /hierarchy"). What they say is read with care, and
// believed of the server that says it for a while, as is that it says nothing.

import { LRUCache } from 'lru-cache';
import { federationPath } from '../../federation/federation-path.ts';
import { isRoomId, type RoomId, type ServerName } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import type { RoomSummary, SpaceRoom } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { readPublicRoom } from '../directory/read-public-room.ts';
import { inOrder, readChild, SPACE_TYPE } from './space-child.ts';

export interface RemoteSpace {
  readonly room: SpaceRoom;
  readonly children: ReadonlyMap<RoomId, RoomSummary>;
  /** Which this server cannot enter or look into by any other way, either. */
  readonly inaccessible: ReadonlySet<RoomId>;
}

export interface SpaceQuestion {
  readonly roomId: RoomId;
  readonly suggestedOnly: boolean;
  readonly servers: readonly ServerName[];
  /** Who told nothing is asked again: an invite may have come meanwhile. */
  readonly askAgain: boolean;
}

/** How many more requests may be made, and until when (ms since the epoch). */
export interface Budget {
  requests: number;
  readonly until: number;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 2 * 1024 * 1024;
/** Servers that are asked for one room. */
const MAX_SERVERS = 3;
const MAX_CHILDREN = 1000;
const LIFETIME_MS = 300_000;
/** In characters of JSON. */
const CACHE_SIZE = 16 * 1024 * 1024;

interface Entry {
  readonly space: RemoteSpace | undefined;
  readonly until: number;
}

type Context = Pick<RoomserverContext, 'federation' | 'clock' | 'logger' | 'serverName'>;

export class RemoteSpaces {
  readonly #context: Context;
  readonly #entries = new LRUCache<string, Entry>({ maxSize: CACHE_SIZE });
  /** So that many who ask at once cost one request. */
  readonly #asking = new Map<string, Promise<RemoteSpace | undefined>>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Undefined where no server tells of it; `outOfBudget` where not all could be asked. */
  async find(
    question: SpaceQuestion,
    budget: Budget,
  ): Promise<RemoteSpace | 'outOfBudget' | undefined> {
    const { serverName, clock } = this.#context;
    const servers = question.servers.filter((server) => server !== serverName);
    for (const server of [...new Set(servers)].slice(0, MAX_SERVERS)) {
      const key = JSON.stringify([server, question.roomId, question.suggestedOnly]);
      const known = this.#entries.get(key);
      const isOver = known === undefined || known.until <= clock.now();
      if (isOver || (known.space === undefined && question.askAgain)) {
        if (budget.requests <= 0 || clock.now() >= budget.until) return 'outOfBudget';
        budget.requests -= 1;
        const found = await this.#askOnce(key, server, question);
        if (found !== undefined) return found;
      } else if (known.space !== undefined) return known.space;
    }
    return undefined;
  }

  async #askOnce(
    key: string,
    server: ServerName,
    question: SpaceQuestion,
  ): Promise<RemoteSpace | undefined> {
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#ask(key, server, question).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    return await asking;
  }

  async #ask(
    key: string,
    destination: ServerName,
    { roomId, suggestedOnly }: SpaceQuestion,
  ): Promise<RemoteSpace | undefined> {
    const { federation, clock, logger } = this.#context;
    let space: RemoteSpace | undefined;
    let size = 1;
    try {
      const answer = await federation?.request({
        destination,
        method: 'GET',
        path: federationPath`/_matrix/federation/v1/hierarchy/${roomId}`,
        query: { suggested_only: String(suggestedOnly) },
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_BYTES,
      });
      space = answer && readSpace(answer, roomId);
      size = JSON.stringify(answer ?? {}).length;
    } catch (error) {
      logger.debug({ server: destination, roomId, err: error }, 'a room was not described');
    }
    this.#entries.set(key, { space, until: clock.now() + LIFETIME_MS }, { size });
    return space;
  }
}

/** Undefined where it does not describe the room. */
function readSpace(answer: JsonObject, roomId: RoomId): RemoteSpace | undefined {
  const { room: json, children, inaccessible_children: inaccessible } = answer;
  const room = isJsonObject(json) ? readSummary(json) : undefined;
  if (!isJsonObject(json) || room?.room_id !== roomId) return undefined;
  const summaries = objectsIn(children)
    .map(readSummary)
    .filter((child) => child !== undefined);
  return {
    room: { ...room, children_state: childrenIn(room, json.children_state) },
    children: new Map(summaries.map((child) => [child.room_id, child])),
    inaccessible: new Set(listIn(inaccessible).filter(isRoomId)),
  };
}

/** Only spaces have children. */
function childrenIn({ room_type: type }: RoomSummary, value: JsonValue | undefined) {
  if (type !== SPACE_TYPE) return [];
  const children = objectsIn(value)
    .map(readChild)
    .filter((child) => child !== undefined);
  const byRoom = new Map(children.map((child) => [child.state_key, child]));
  return inOrder([...byRoom.values()]);
}

function readSummary(json: JsonObject): RoomSummary | undefined {
  const room = readPublicRoom(json);
  if (room === undefined) return undefined;
  const { allowed_room_ids: allowed, encryption, room_version: version } = json;
  const allowedRooms = listIn(allowed).filter(isRoomId);
  return {
    ...room,
    ...(allowedRooms.length > 0 && { allowed_room_ids: allowedRooms }),
    ...(typeof encryption === 'string' && { encryption }),
    ...(typeof version === 'string' && { room_version: version }),
  };
}

function objectsIn(value: JsonValue | undefined): JsonObject[] {
  return listIn(value).filter(isJsonObject);
}

function listIn(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value.slice(0, MAX_CHILDREN) : [];
}
