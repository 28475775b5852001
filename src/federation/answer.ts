// What an answer says: JSON of a success, or why the request was refused. All of it is bounded.

import type { Clock } from '../clock.ts';
import { readForeignJson } from '../json-as-it-comes.ts';
import { MatrixError } from '../protocol/error.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../protocol/json.ts';
import { FederationError } from './federation-error.ts';
import { AnswerTooLargeError, type HttpAnswer, readChunks } from './http-exchange.ts';

const MAX_ERROR_BYTES = 65_536;
const MAX_TEXT = 200;
const LONGEST_RETRY = 24 * 3_600_000;

interface ReadLimit {
  readonly maxBytes: number;
  readonly onRead: ((bytes: number) => void) | undefined;
}

/** The JSON object of a 2xx answer. Throws FederationError (`malformed`), and what reading throws. */
export async function readJson(
  answer: HttpAnswer,
  destination: ServerName,
  { maxBytes, onRead }: ReadLimit,
): Promise<JsonObject> {
  const malformed = (message: string) => new FederationError('malformed', destination, { message });
  const encoding = answer.header('content-encoding') ?? 'identity';
  if (encoding !== 'identity') {
    answer.body.destroy();
    throw malformed('the answer is compressed, which nobody has asked for');
  }
  const object = withoutStatus(await parse(readChunks(answer, maxBytes, onRead), malformed));
  if (object === undefined || !isJsonObject(object))
    throw malformed('the answer is no JSON object');
  return object;
}

type Malformed = (message: string) => Error;

async function parse(
  chunks: AsyncIterable<Buffer>,
  malformed: Malformed,
): Promise<JsonValue | undefined> {
  try {
    return await readForeignJson(chunks);
  } catch (error) {
    throw error instanceof MatrixError ? malformed(error.message) : error;
  }
}

/** Version 1 of send_join, send_leave and invite wraps its answer: `[200, {…}]`. */
function withoutStatus(json: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(json)) return json;
  const [status, object] = json;
  return json.length === 2 && typeof status === 'number' ? object : undefined;
}

/** For an answer that is no success. Never throws. */
export async function refusal(
  answer: HttpAnswer,
  destination: ServerName,
  clock: Clock,
): Promise<FederationError> {
  const json = await readError(answer);
  const { errcode, error, retry_after_ms: retryAfter } = json ?? {};
  const text = typeof error === 'string' ? `: ${error.slice(0, MAX_TEXT)}` : '';
  const code = isErrcode(errcode) ? errcode : undefined;
  const retryAfterMs =
    boundedRetry(retryAfter) ?? retryOfHeader(answer.header('retry-after'), clock.now());
  return new FederationError('refused', destination, {
    message: `answered ${answer.status} ${code ?? ''}${text}`.trim(),
    status: answer.status,
    ...(code !== undefined && { errcode: code }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(json !== undefined && { answer: json }),
  });
}

async function readError(answer: HttpAnswer): Promise<JsonObject | undefined> {
  try {
    const malformed = (message: string) => new Error(message);
    const json = await parse(readChunks(answer, MAX_ERROR_BYTES), malformed);
    return json !== undefined && isJsonObject(json) ? json : undefined;
  } catch {
    // The status alone says that it was refused, even if the rest does not arrive.
    return undefined;
  }
}

function isErrcode(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.]{1,100}$/.test(value);
}

function boundedRetry(ms: unknown): number | undefined {
  if (typeof ms !== 'number' || !(ms >= 0)) return undefined;
  return Math.min(Math.ceil(ms), LONGEST_RETRY);
}

/** RFC 9110, section 10.2.3: seconds or a date. */
function retryOfHeader(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(value)) return boundedRetry(Number(value) * 1000);
  return boundedRetry(Date.parse(value) - now);
}

/** For whatever went wrong on the way. */
export function failure(error: unknown, destination: ServerName): FederationError {
  if (error instanceof FederationError) return error;
  const kind =
    error instanceof AnswerTooLargeError
      ? 'malformed'
      : error instanceof Error && error.name === 'NetworkDeniedError'
        ? 'denied'
        : 'unreachable';
  const message = error instanceof Error ? error.message : String(error);
  return new FederationError(kind, destination, {
    message: message.slice(0, MAX_TEXT) || 'the request failed',
    cause: error,
  });
}
