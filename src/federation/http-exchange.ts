// One HTTP request over a dispatcher of undici, and its answer as it comes.

import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

export interface HttpRequest {
  readonly method: Dispatcher.HttpMethod;
  /** With the query. */
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** The first value of a header; names in lower case. */
  header(name: string): string | undefined;
  /** Has to be read or destroyed. */
  readonly body: Readable;
}

/** Time is kept by the signal of each request, for all parts of the exchange alike. */
export const DISPATCHER_OPTIONS = {
  allowH2: false,
  headersTimeout: 0,
  bodyTimeout: 0,
  pipelining: 1,
  maxHeaderSize: 16_384,
} as const;

/** Of all dispatchers: which host is connected to is the connector's affair, and what it is called the request's. */
export const ORIGIN = 'https://federation.invalid';

export async function exchange(
  dispatcher: Dispatcher,
  { method, path, host, headers, body, signal }: HttpRequest,
): Promise<HttpAnswer> {
  const answer = await dispatcher.request({
    method,
    path,
    headers: { host, ...headers },
    body: body ?? null,
    signal,
  });
  const stream: Readable = answer.body;
  // An answer that is broken off after nobody reads it any more is no event that anybody waits for.
  stream.on('error', () => undefined);
  return {
    status: answer.statusCode,
    header: (name) => [answer.headers[name]].flat()[0],
    body: stream,
  };
}

export class AnswerTooLargeError extends Error {
  constructor(maxBytes: number) {
    super(`the answer has more than ${maxBytes} bytes`);
    this.name = 'AnswerTooLargeError';
  }
}

/** Throws AnswerTooLargeError, and ends the answer, beyond `maxBytes`. */
export async function* readChunks(
  answer: HttpAnswer,
  maxBytes: number,
  onRead?: (bytes: number) => void,
): AsyncGenerator<Buffer, undefined> {
  const { body } = answer;
  let size = 0;
  try {
    if (Number(answer.header('content-length') ?? 0) > maxBytes) {
      throw new AnswerTooLargeError(maxBytes);
    }
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw new AnswerTooLargeError(maxBytes);
      yield chunk;
    }
  } finally {
    onRead?.(size);
    // One that has been read to its end leaves its connection to the next request.
    if (!body.readableEnded) body.destroy();
  }
}

/** As `readChunks`, of what is small. */
export async function readBytes(answer: HttpAnswer, maxBytes: number): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(readChunks(answer, maxBytes)));
}
