// The answer of a handler that wants more than "200 with this JSON".

import type { Readable } from 'node:stream';

const marker = Symbol('reply');

export interface ReplyOptions {
  /** Default 200. */
  readonly status?: number;
  /** Lower-case names. A body that is no plain object must bring its own `content-type`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** An object becomes JSON; text, bytes and streams are sent as they are; absent: no body. */
  readonly body?: object | string | Uint8Array | Readable;
}

export interface Reply extends ReplyOptions {
  readonly [marker]: true;
}

export function reply(options: ReplyOptions): Reply {
  return { ...options, [marker]: true };
}

export function isReply(value: object): value is Reply {
  return marker in value;
}
