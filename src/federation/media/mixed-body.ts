// A `multipart/mixed` body of two parts as it arrives: metadata, then a file (Server-Server API, "Content Repository";
// RFC 2046, section 5.1). Of the file no more is held than what may turn out to be a delimiter.

import type { Readable } from 'node:stream';

/** Of everything before the file: what precedes the parts, the metadata, both parts' headers. */
const MAX_HEAD_BYTES = 16_384;
/** What may follow the parts. */
const MAX_EPILOGUE_BYTES = 1024;
const LINE_END = '\r\n';

export class MalformedBodyError extends Error {
  constructor(message: string) {
    super(`the multipart body is malformed: ${message}`);
    this.name = 'MalformedBodyError';
  }
}

export interface FilePart {
  /** Of a header; names in lower case. */
  header(name: string): string | undefined;
  /** To be read once. Throws MalformedBodyError where it does not end as it should. */
  readonly content: AsyncIterable<Buffer>;
}

/** `boundary`: without the leading dashes. Throws MalformedBodyError. */
export async function readMixedBody(body: Readable, boundary: string): Promise<FilePart> {
  const parts = new MixedBody(body, boundary);
  await parts.skipToDelimiter();
  await parts.readHeaders();
  await parts.skipToDelimiter();
  const headers = await parts.readHeaders();
  return { header: (name) => headers.get(name), content: parts.content() };
}

class MixedBody {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #delimiter: Buffer;
  /** The first delimiter may stand at the very beginning, without the line end that belongs to it. */
  #held: Buffer = Buffer.from(LINE_END);
  #headBytes = 0;

  constructor(body: Readable, boundary: string) {
    this.#chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    this.#delimiter = Buffer.from(`${LINE_END}--${boundary}`);
  }

  async skipToDelimiter(): Promise<void> {
    await this.#takeUntil(this.#delimiter);
  }

  /** After a delimiter: the rest of its line, and the lines up to an empty one. */
  async readHeaders(): Promise<ReadonlyMap<string, string>> {
    const padding = await this.#takeUntil(LINE_END);
    if (padding.trim() !== '') throw new MalformedBodyError('there are not two parts');
    const headers = new Map<string, string>();
    for (;;) {
      const line = await this.#takeUntil(LINE_END);
      if (line === '') return headers;
      const colon = line.indexOf(':');
      if (colon === -1) throw new MalformedBodyError('a line is no header');
      headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
    }
  }

  async *content(): AsyncGenerator<Buffer> {
    let end = this.#held.indexOf(this.#delimiter);
    while (end === -1) {
      const safe = this.#held.length - this.#delimiter.length + 1;
      if (safe > 0) {
        yield this.#held.subarray(0, safe);
        this.#held = this.#held.subarray(safe);
      }
      await this.#read();
      end = this.#held.indexOf(this.#delimiter);
    }
    if (end > 0) yield this.#held.subarray(0, end);
    this.#held = this.#held.subarray(end + this.#delimiter.length);
    await this.#finish();
  }

  /** The two dashes that close the last part, and what follows. */
  async #finish(): Promise<void> {
    while (this.#held.length < 2) await this.#read();
    if (this.#held.toString('latin1', 0, 2) !== '--') {
      throw new MalformedBodyError('there are more than two parts');
    }
    for (let size = this.#held.length; size <= MAX_EPILOGUE_BYTES; ) {
      const { done, value } = await this.#chunks.next();
      if (done) return;
      size += value.length;
    }
    throw new MalformedBodyError('it does not end with its parts');
  }

  /** The text before `mark`, which is taken, too. */
  async #takeUntil(mark: string | Buffer): Promise<string> {
    let end = this.#held.indexOf(mark);
    while (end === -1) {
      this.#checkHead(this.#held.length);
      await this.#read();
      end = this.#held.indexOf(mark);
    }
    this.#checkHead(end);
    this.#headBytes += end + mark.length;
    const text = this.#held.toString('latin1', 0, end);
    this.#held = this.#held.subarray(end + mark.length);
    return text;
  }

  #checkHead(more: number): void {
    if (this.#headBytes + more > MAX_HEAD_BYTES) {
      throw new MalformedBodyError('the file does not begin');
    }
  }

  async #read(): Promise<void> {
    const { done, value } = await this.#chunks.next();
    if (done) throw new MalformedBodyError('it breaks off');
    this.#held = Buffer.concat([this.#held, value]);
  }
}
