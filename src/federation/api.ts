// What can be asked of other servers: a library that its users hold directly. Answers are checked for size and for
// being JSON, and for nothing else: whoever asks has to take them for hostile.

import type { KeyObject } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { ServerName } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';

export interface FederationRequest {
  readonly destination: ServerName;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** From `/_matrix/`, encoded: see `federationPath`. */
  readonly path: string;
  /** Repeated where the value is a list. */
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: JsonObject;
  /** What bears this server's name may be another program. Default false: it is refused. */
  readonly mayBeOurselves?: boolean;
  /** False where nobody asks for a signature: keys. Default true. */
  readonly signed?: boolean;
  /** Of the whole exchange, in ms; default 30,000. */
  readonly timeoutMs?: number;
  /** Of the answer, in bytes; default 10 MiB. */
  readonly maxBytes?: number;
  /** Told of how much of a success was read, in bytes, whatever comes of it. */
  readonly onRead?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** Text of another server, fit to be put into headers. */
export interface RemoteFile {
  /** Has to be read or destroyed. Fails with a FederationError where it does not come whole. */
  readonly body: Readable;
  readonly contentType: string | undefined;
  readonly fileName: string | undefined;
}

export interface MediaRequest {
  readonly destination: ServerName;
  readonly mediaId: string;
  /** Absent: the media itself. */
  readonly thumbnail?: {
    readonly width: number;
    readonly height: number;
    readonly method: 'crop' | 'scale';
    readonly animated: boolean;
  };
  /** How long the other server may wait for an upload that has been announced, in ms. */
  readonly timeoutMs: number;
  /** More end in a FederationError whose cause is an AnswerTooLargeError. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface FederationClient {
  /**
   * Signed by X-Matrix. The JSON object of a 2xx answer, and the object in the `[200, {…}]` of version 1. Numbers keep
   * their source text where a double would lose it. Redirects are refusals. Throws FederationError.
   */
  request(request: FederationRequest): Promise<JsonObject>;
  /** Media of another server, where it lacks the authenticated endpoints by the old ones. Throws FederationError. */
  download(request: MediaRequest): Promise<RemoteFile>;
  close(): Promise<void>;
}

export interface KeyRequest {
  readonly server: ServerName;
  /** `ed25519:version` */
  readonly keyId: string;
  /** ms since the epoch at which the key has to have been valid; absent where nobody asks for it. */
  readonly validAt?: number;
  /** Asked as notaries where the server itself does not answer. Who names none takes the server's own word alone. */
  readonly notaries?: readonly ServerName[];
}

export interface KeyRing {
  /** The public key, or undefined when it cannot be had or was not valid then. Never throws. */
  key(request: KeyRequest): Promise<KeyObject | undefined>;
  /** As `GET /_matrix/key/v2/query` answers: what a server itself has said, as it was signed; ours added by the caller. */
  keyObjects(request: {
    readonly server: ServerName;
    readonly keyIds: readonly string[];
    /** ms since the epoch. */
    readonly minimumValidUntil?: number;
  }): Promise<readonly JsonObject[]>;
}
