// Media of other servers (Server-Server API, "Content Repository"): where it is, and its bytes as they come, bounded in size
// and time. Time is bounded as a whole and between two pieces, or a slow server would hold a connection for ever.

import type { Readable } from 'node:stream';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import { failure, refusal } from '../answer.ts';
import type { MediaRequest, RemoteFile } from '../api.ts';
import { createDeadline } from '../deadline.ts';
import { FederationError } from '../federation-error.ts';
import { federationPath } from '../federation-path.ts';
import { AnswerTooLargeError, type HttpAnswer } from '../http-exchange.ts';
import type { Sender } from '../sender.ts';
import { boundaryOf, describedFile, type FileDescription } from './described-file.ts';
import { FileStream } from './file-stream.ts';
import { type FilePart, MalformedBodyError, readMixedBody } from './mixed-body.ts';

export interface MediaDownloadsOptions {
  readonly sender: Sender;
  /** Follows redirects. */
  readonly get: (url: URL, signal: AbortSignal) => Promise<HttpAnswer>;
  readonly clock: Clock;
  readonly timers: Clock;
  readonly logger: Logger;
}

/** ms, beyond what the other server may wait: until the file begins, between two pieces of it, for all of it. */
const START_MS = 30_000;
const IDLE_MS = 30_000;
const WHOLE_MS = 600_000;

interface FoundFile extends FileDescription {
  readonly content: AsyncIterable<Buffer>;
  /** What the content is read from. */
  readonly source: Readable;
}

export class MediaDownloads {
  readonly #options: MediaDownloadsOptions;

  constructor(options: MediaDownloadsOptions) {
    this.#options = options;
  }

  async download(request: MediaRequest): Promise<RemoteFile> {
    const { timers, logger } = this.#options;
    const { destination, mediaId, timeoutMs, maxBytes } = request;
    const whole = createDeadline(timers, timeoutMs + WHOLE_MS, request.signal);
    const idle = createDeadline(timers, timeoutMs + START_MS, whole.signal);
    const onEnd = () => {
      whole.clear();
      idle.clear();
    };
    const failed = (error: unknown): FederationError => {
      const reason = failureOf(error, destination);
      logger.debug({ destination, mediaId, reason: reason.message }, 'a download failed');
      return reason;
    };
    try {
      const { contentType, fileName, content, source } = await this.#find(request, idle.signal);
      const onPiece = () => idle.extend(IDLE_MS);
      const body = new FileStream({ content, source, maxBytes, onPiece, failed, onEnd });
      return { body, contentType, fileName };
    } catch (error) {
      onEnd();
      throw failed(error);
    }
  }

  async #find(request: MediaRequest, signal: AbortSignal): Promise<FoundFile> {
    const { sender, clock } = this.#options;
    const { destination, maxBytes } = request;
    const answer = await sender.send({ ...pathOf(request), destination, method: 'GET' }, signal);
    if (answer.status === 200) return await this.#findInMixed(answer, request, signal);
    const refused = await refusal(answer, destination, clock);
    if (refused.status !== 404 || refused.errcode !== 'M_UNRECOGNIZED') throw refused;
    const old = { ...oldPathOf(request), destination, method: 'GET', signed: false } as const;
    return await this.#findWhole(await sender.send(old, signal), destination, maxBytes);
  }

  async #findInMixed(
    answer: HttpAnswer,
    { destination, maxBytes }: MediaRequest,
    signal: AbortSignal,
  ): Promise<FoundFile> {
    const part = await this.#filePartOf(answer, destination).catch((error) => {
      answer.body.destroy();
      throw error;
    });
    const location = part.header('location');
    if (location === undefined) {
      return { ...describedFile(part.header), content: part.content, source: answer.body };
    }
    answer.body.destroy();
    const url = URL.parse(location);
    if (url === null) throw malformed(destination, 'it redirects to no valid address');
    return await this.#findWhole(await this.#options.get(url, signal), destination, maxBytes);
  }

  async #filePartOf(answer: HttpAnswer, destination: ServerName): Promise<FilePart> {
    checkUncompressed(answer, destination);
    const boundary = boundaryOf(answer.header('content-type'));
    if (boundary === undefined) throw malformed(destination, 'the answer is no multipart/mixed');
    return await readMixedBody(answer.body, boundary);
  }

  /** The answer's body is the file. */
  async #findWhole(
    answer: HttpAnswer,
    destination: ServerName,
    maxBytes: number,
  ): Promise<FoundFile> {
    if (answer.status !== 200) throw await refusal(answer, destination, this.#options.clock);
    try {
      checkUncompressed(answer, destination);
      const stated = Number(answer.header('content-length') ?? 0);
      if (stated > maxBytes) throw new AnswerTooLargeError(maxBytes);
    } catch (error) {
      answer.body.destroy();
      throw error;
    }
    return { ...describedFile(answer.header), content: answer.body, source: answer.body };
  }
}

function failureOf(error: unknown, destination: ServerName): FederationError {
  return error instanceof MalformedBodyError
    ? malformed(destination, error.message)
    : failure(error, destination);
}

function checkUncompressed(answer: HttpAnswer, destination: ServerName): void {
  const encoding = answer.header('content-encoding') ?? 'identity';
  if (encoding !== 'identity') throw malformed(destination, 'the answer is compressed');
}

function malformed(destination: ServerName, message: string): FederationError {
  return new FederationError('malformed', destination, { message });
}

type Target = { readonly path: string; readonly query: Record<string, string> };

function pathOf({ mediaId, thumbnail, timeoutMs }: MediaRequest): Target {
  const kind = thumbnail === undefined ? 'download' : 'thumbnail';
  return {
    path: federationPath`/_matrix/federation/v1/media/${kind}/${mediaId}`,
    query: { ...sizeOf(thumbnail), timeout_ms: String(timeoutMs) },
  };
}

/** It must not ask others in turn, and cannot redirect whom it does not know to follow. */
function oldPathOf({ destination, mediaId, thumbnail, timeoutMs }: MediaRequest): Target {
  const kind = thumbnail === undefined ? 'download' : 'thumbnail';
  return {
    path: federationPath`/_matrix/media/v3/${kind}/${destination}/${mediaId}`,
    query: { ...sizeOf(thumbnail), timeout_ms: String(timeoutMs), allow_remote: 'false' },
  };
}

function sizeOf(thumbnail: MediaRequest['thumbnail']): Record<string, string> {
  if (thumbnail === undefined) return {};
  const { width, height, method, animated } = thumbnail;
  return {
    width: String(width),
    height: String(height),
    method,
    animated: String(animated),
  };
}
