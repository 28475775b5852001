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

const JSON_HEADERS = { 'content-type': 'application/json', ...CORS_HEADERS };

export function sendResult(reply: FastifyReply, result: object | Reply): FastifyReply {
  if (!isReply(result)) return sendJson(reply, { text: JSON.stringify(result) });
  const { status = 200, headers = {}, body } = result;
  if (body !== undefined && isJson(body, headers)) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return sendJson(reply, { status, headers, text });
  }
  return reply
    .code(status)
    .headers({ ...CORS_HEADERS, ...headers })
    .send(body);
}

function isJson(body: object | string, headers: Readonly<Record<string, string>>): boolean {
  if (typeof body === 'string') return headers['content-type'] === undefined;
  return !(body instanceof Uint8Array || body instanceof Readable);
}

interface JsonAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Past the framework, which would take a fifth of the time of a small request for it. */
function sendJson(reply: FastifyReply, { status = 200, headers, text }: JsonAnswer): FastifyReply {
  const { raw } = reply;
  raw.writeHead(status, {
    ...JSON_HEADERS,
    ...headers,
    'content-length': Buffer.byteLength(text),
  });
  // Head and text as one string: one write, without a copy of its own for either.
  raw.end(text);
  return reply.hijack();
}

export function sendMatrixError(
  reply: FastifyReply,
  error: MatrixError,
  overrides?: StatusOverrides,
): FastifyReply {
  const { status, headers, body } = errorResponse(error, overrides);
  const closing = hasMuchToCome(reply.request) && { connection: 'close' };
  return sendJson(reply, {
    status,
    headers: { ...(reply.getHeaders() as Record<string, string>), ...headers, ...closing },
    text: body,
  });
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
