// Runs a route's handler on what has been read from the request: parameters, query, body, in this order.

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { MatrixError } from '../protocol/error.ts';
import type { JsonValue } from '../protocol/json.ts';
import { parseJsonBody } from './json-body.ts';
import { limitedStream, tooLarge } from './limited-stream.ts';
import { readParameters } from './parameters.ts';
import type { Reply } from './reply.ts';
import type { RequestContext } from './request-context.ts';
import { DEFAULT_MAX_BODY_BYTES, type Route } from './route.ts';
import { identifyServer, type ServerIdentification } from './server-request.ts';

export interface ReceivedRequest {
  readonly context: RequestContext;
  readonly params: Readonly<Record<string, string>>;
  /** Undefined where there is none: bytes of a JSON route's body; of a route that other servers call, what is in it. */
  readonly body: unknown;
  readonly raw: IncomingMessage;
}

/** As `runHandler`, for a route that other servers call: their signature comes before all else. */
export async function runServerHandler(
  route: Route,
  { context, params, raw, body: given }: ReceivedRequest,
  identification: ServerIdentification,
): Promise<object | Reply> {
  const body = given as JsonValue | undefined;
  const { remoteAddress } = context;
  context.requester = await identifyServer(identification, route, { raw, body, remoteAddress });
  readFields(route, { context, params });
  context.body = checkedBody(route, body);
  return route.handler(context);
}

export function runHandler(route: Route, request: ReceivedRequest): Promise<object | Reply> {
  const { context, raw } = request;
  readFields(route, request);
  if (route.rawBody === true) context.stream = bodyStream(route, raw);
  else context.body = readBody(route, request.body as Buffer | undefined);
  return route.handler(context);
}

function readFields(
  route: Route,
  { context, params }: Pick<ReceivedRequest, 'context' | 'params'>,
): void {
  context.params = readParameters(route.params ?? {}, (name) => {
    const value = params[name];
    return value === undefined ? undefined : [value];
  });
  if (route.query !== undefined) {
    const values = context.queryValues();
    context.query = readParameters(route.query, (name) => values.get(name));
  }
}

function readBody(route: Route, bytes: Buffer | undefined): unknown {
  if (route.checkBody === undefined) return undefined;
  const isAbsent = bytes === undefined || bytes.length === 0;
  return checkedBody(route, isAbsent ? undefined : parseJsonBody(bytes));
}

function checkedBody(route: Route, given: unknown): unknown {
  if (route.checkBody === undefined) return undefined;
  if (given === undefined && route.bodyOptional !== true) {
    throw new MatrixError('M_NOT_JSON', 'The request has no body');
  }
  const body = given === undefined ? {} : given;
  route.checkBody(body);
  return body;
}

function bodyStream(route: Route, raw: IncomingMessage): Readable {
  const limit = route.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
  if (Number(raw.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  return limitedStream(raw, limit);
}
