// make_join, make_leave and make_knock: a template for the event by which a user of this server gets into, or out of, a
// room that others have.

import { federationPath } from '../../federation/federation-path.ts';
import { limitError } from '../../federation/limit-error.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { RoomVersionId } from '../../protocol/roomversions/room-version.ts';
import type { FederationsenderApi } from '../api.ts';
import { MalformedAnswer, notReached, passedOn } from './answer-error.ts';
import { objectOf } from './answer-shapes.ts';
import type { HandshakeContext } from './context.ts';

type MakeRequest = Parameters<FederationsenderApi['performMakeHandshake']>[0];
type Template = Awaited<ReturnType<FederationsenderApi['performMakeHandshake']>>;

/** A user waits for it: so many servers are asked, and none any more after so long; ms. */
const MAX_SERVERS = 20;
const TIMEOUT_MS = 20_000;
const PATIENCE_MS = 90_000;

export async function makeHandshake(
  context: HandshakeContext,
  request: MakeRequest,
): Promise<Template> {
  const { clock, logger, serverName } = context;
  const { roomId, handshake } = request;
  const servers = request.servers.filter((server) => server !== serverName).slice(0, MAX_SERVERS);
  if (servers.length === 0) {
    throw new MatrixError('M_NOT_FOUND', 'No server is known that has this room');
  }
  const end = clock.now() + PATIENCE_MS;
  let said: MatrixError | undefined;
  for (const server of servers) {
    if (clock.now() >= end) break;
    try {
      return await ask(context, request, server);
    } catch (error) {
      logger.info({ server, roomId, handshake, err: error }, 'a server gave no template');
      said = passedOn(error) ?? said ?? limitError(error);
    }
  }
  throw said ?? notReached();
}

async function ask(
  { client }: HandshakeContext,
  request: MakeRequest,
  server: ServerName,
): Promise<Template> {
  const { handshake, roomId, userId, roomVersions } = request;
  const answer = await client.request({
    destination: server,
    method: 'GET',
    path: federationPath`/_matrix/federation/v1/make_${handshake}/${roomId}/${userId}`,
    // A leave has no versions to choose from.
    ...(handshake !== 'leave' && { query: { ver: roomVersions } }),
    timeoutMs: TIMEOUT_MS,
  });
  const event = objectOf(answer.event, 'event');
  checkTemplate(event, request);
  return { server, roomVersion: versionOf(answer, request), event };
}

/** Server-Server API, "GET /make_join": what must hold before anything is signed. */
function checkTemplate(event: JsonObject, { handshake, roomId, userId }: MakeRequest): void {
  const { membership } = objectOf(event.content, 'content');
  const holds =
    event.type === 'm.room.member' &&
    event.room_id === roomId &&
    event.sender === userId &&
    event.state_key === userId &&
    membership === handshake;
  if (!holds) throw new MalformedAnswer('the template is of another event than was asked for');
}

/** Servers that say nothing mean one of the first two, which differ in nothing that is decided here. */
function versionOf(answer: JsonObject, { roomVersions }: MakeRequest): RoomVersionId {
  const version = answer.room_version ?? '1';
  const known = roomVersions.find((one) => one === version);
  if (known !== undefined) return known;
  throw new MatrixError(
    'M_INCOMPATIBLE_ROOM_VERSION',
    'This server does not know the version of the room',
    typeof version === 'string' ? { room_version: version.slice(0, 255) } : {},
  );
}
