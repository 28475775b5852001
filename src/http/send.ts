// Writes results and errors as responses.

import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../logger.ts';
import type { MatrixError } from '../protocol/error.ts';
import { CORS_HEADERS } from './cors.ts';
import { errorResponse, type StatusOverrides } from './error-response.ts';
import { isReply, type Reply } from './reply.ts';
import { toMatrixError } from './request-errors.ts';

/** A refused request with more than this still to come ends its connection. */
const MAX_DISCARDED_BYTES = 65_536;

export function sendResult(reply: FastifyReply, result: object | Reply): FastifyReply {
  reply.headers(CORS_HEADERS);
  if (!isReply(result)) return sendJson(reply, JSON.stringify(result));
  const { status = 200, headers = {}, body } = result;
  reply.code(status).headers(headers);
  if (body === undefined) return reply.send();
  if (typeof body === 'string') {
    return headers['content-type'] === undefined ? sendJson(reply, body) : reply.send(body);
  }
  if (body instanceof Uint8Array || body instanceof Readable) return reply.send(body);
  return sendJson(reply, JSON.stringify(body));
}

/** As bytes: to text the framework would add a charset, which JSON does not have. */
function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.header('content-type', 'application/json').send(Buffer.from(text));
}

export function sendMatrixError(
  reply: FastifyReply,
  error: MatrixError,
  overrides?: StatusOverrides,
): FastifyReply {
  const { status, headers, body } = errorResponse(error, overrides);
  if (hasMuchToCome(reply.request)) reply.header('connection', 'close');
  return sendJson(reply.code(status).headers(CORS_HEADERS).headers(headers), body);
}

export interface Failure {
  readonly error: unknown;
  readonly logger: Logger;
  readonly overrides?: StatusOverrides | undefined;
}

export function sendFailure(reply: FastifyReply, failure: Failure): FastifyReply {
  const { request } = reply;
  const error = toMatrixError(
    failure.error,
    {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url,
      isAborted: request.context?.isAborted === true || reply.raw.destroyed,
    },
    failure.logger,
  );
  return sendMatrixError(reply, error, failure.overrides);
}

function hasMuchToCome({ raw }: FastifyRequest): boolean {
  if (raw.complete) return false;
  const length = raw.headers['content-length'];
  if (length === undefined) return raw.headers['transfer-encoding'] !== undefined;
  return Number(length) > MAX_DISCARDED_BYTES;
}
