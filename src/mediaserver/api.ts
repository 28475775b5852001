// The mediaserver: upload, download, thumbnails. Bytes travel as streams, which is why it is called over
// plain HTTP, not the generic RPC, when it runs by itself.

import type { Readable } from 'node:stream';
import type { ServerName, UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';

export interface MediaserverApi {
  /** Stores a file. Errors: M_TOO_LARGE, M_UNKNOWN when the body breaks off. */
  performUpload(request: {
    readonly userId: UserId;
    readonly contentType: string;
    readonly fileName?: string;
    readonly body: Readable;
  }): Promise<{ contentUri: string }>;
  /** Reserves a URI for a later upload (`POST /create`). Errors: M_LIMIT_EXCEEDED. */
  performReserve(request: {
    readonly userId: UserId;
  }): Promise<{ contentUri: string; unusedExpiresTs: number }>;
  /** Errors: as performUpload; M_FORBIDDEN (not the reserver), M_CANNOT_OVERWRITE_MEDIA, M_NOT_FOUND (expired). */
  performUploadReserved(request: {
    readonly userId: UserId;
    readonly serverName: ServerName;
    readonly mediaId: string;
    readonly contentType: string;
    readonly fileName?: string;
    readonly body: Readable;
  }): Promise<void>;
  /**
   * The body has to be read or destroyed. Errors: M_NOT_FOUND, M_NOT_YET_UPLOADED after `timeoutMs`; for remote media
   * M_LIMIT_EXCEEDED, and GatewayError: M_TOO_LARGE, or M_UNKNOWN where its server does not give it.
   */
  queryMedia(request: {
    readonly serverName: ServerName;
    readonly mediaId: string;
    readonly timeoutMs: number;
    readonly allowRemote: boolean;
  }): Promise<MediaFile>;
  /**
   * An image of one of the types image/jpeg, image/png, image/gif and image/webp; animated only if asked for.
   * Errors: as queryMedia; M_UNKNOWN (400) when there is no thumbnail of it, M_TOO_LARGE (413) when the image is
   * too large to be read, M_LIMIT_EXCEEDED, M_INVALID_PARAM.
   */
  queryThumbnail(request: {
    readonly serverName: ServerName;
    readonly mediaId: string;
    readonly width: number;
    readonly height: number;
    readonly method: 'crop' | 'scale';
    readonly animated: boolean;
    readonly timeoutMs: number;
    readonly allowRemote: boolean;
  }): Promise<MediaFile>;
  queryMediaConfig(): Promise<JsonObject>;
}

export interface MediaFile {
  readonly contentType: string;
  readonly fileName?: string;
  /** Bytes. */
  readonly size: number;
  readonly body: Readable;
}
