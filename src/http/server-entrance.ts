// How a request of another server is let in and read: in its lane, and its body parsed as it comes.

import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { JsonValue } from '../protocol/json.ts';
import { readServerBody } from './json-body.ts';
import { limitedChunks } from './limited-stream.ts';
import { addressKey } from './rate-limit.ts';
import { DEFAULT_MAX_BODY_BYTES, type Route } from './route.ts';
import { type ServerLanes, workOf } from './server-lanes.ts';
import { claimedServer } from './server-request.ts';

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Before the body is read. Throws M_LIMIT_EXCEEDED. */
export async function enterLane(
  lanes: ServerLanes,
  route: Route,
  { request, reply }: Exchange,
): Promise<void> {
  const { raw, context } = request;
  const isGone = () => reply.raw.destroyed || reply.raw.closed;
  const leave = await lanes.enter({
    ...asServer(request),
    isTransaction: route.oneAtATime === true,
    bytes: Number(raw.headers['content-length'] ?? 0),
    isReading: () => context?.isHandled === false,
    isGone,
  });
  if (context === null || isGone()) return leave();
  context.leave = leave;
  // Who hangs up later than that has made the work all the same.
  reply.raw.once('close', () => {
    if (!context.isHandled) leave();
  });
}

type ReadBody = (request: FastifyRequest, body: IncomingMessage) => Promise<JsonValue | undefined>;

/** Parsed as it comes. */
export function bodyReader(lanes: ServerLanes): ReadBody {
  return (request, body) => {
    const { anyText = false, maxBodyBytes = DEFAULT_MAX_BODY_BYTES } =
      request.routeOptions.config.route ?? {};
    const isAnnounced = body.headers['content-length'] !== undefined;
    const onEnd = (bytes: number) => {
      if (!isAnnounced) lanes.spend(asServer(request), workOf(bytes));
    };
    return readServerBody(limitedChunks(body, maxBodyBytes, onEnd), anyText);
  };
}

function asServer({ raw, context }: FastifyRequest): { address: string; origin: string } {
  const address = addressKey(context?.remoteAddress ?? '');
  return { address, origin: claimedServer(raw.headers.authorization) };
}
