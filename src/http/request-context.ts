// One request on its way through a route: what the handler sees of it, built as far as it is asked for.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { parseQueryString, type QueryValues } from './query-string.ts';
import type { Requester, RequestingServer, RouteRequest } from './route.ts';

type Values = Readonly<Record<string, unknown>>;

export class RequestContext implements RouteRequest<Values, Values, unknown, unknown> {
  params: Values = {};
  query: Values = {};
  body: unknown;
  requester: Requester | RequestingServer | undefined;
  /** To be called when the request of another server is done; see server-lanes.ts. */
  leave = (): void => {};
  isHandled = false;
  readonly remoteAddress: string;
  /** As the client wrote it. */
  readonly contentType: string | undefined;
  readonly #raw: IncomingMessage;
  readonly #response: ServerResponse;
  #stream: Readable | undefined;
  #queryValues: QueryValues | undefined;
  #controller: AbortController | undefined;
  #abortReason: string | undefined;

  constructor(raw: IncomingMessage, response: ServerResponse, remoteAddress: string) {
    this.#raw = raw;
    this.#response = response;
    this.remoteAddress = remoteAddress;
    this.contentType = raw.headers['content-type'];
  }

  get userAgent(): string | undefined {
    return this.#raw.headers['user-agent'];
  }

  get stream(): Readable {
    if (this.#stream === undefined) throw new Error('only a route with rawBody has a stream');
    return this.#stream;
  }

  set stream(stream: Readable) {
    this.#stream = stream;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#response.once('close', () => {
        if (!this.#response.writableFinished) this.abort('the client went away');
      });
      if (this.#response.destroyed) this.abort('the client went away');
      if (this.#abortReason !== undefined) this.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  get isAborted(): boolean {
    return this.#abortReason !== undefined || this.#response.destroyed;
  }

  abort(reason: string): void {
    this.#abortReason = reason;
    this.#controller?.abort(new DOMException(reason, 'AbortError'));
  }

  /** Long polls answer at once; the connection is not offered for another request. */
  abortForShutdown(): void {
    if (!this.#response.headersSent) this.#response.setHeader('connection', 'close');
    this.abort('the server is shutting down');
  }

  /** Decoded at the first call. Throws M_INVALID_PARAM. */
  queryValues(): QueryValues {
    this.#queryValues ??= parseQueryString(this.#raw.url ?? '');
    return this.#queryValues;
  }
}
