// What an endpoint says of itself. `route()` checks the description and types the handler from it.

import type { Readable } from 'node:stream';
import type { Static, TSchema } from 'typebox';
import { Type } from '../json-schema.ts';
import type { DeviceId, ServerName, UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import { type BodyCheck, createBodyCheck } from './body-schema.ts';
import type { StatusOverrides } from './error-response.ts';
import type { Parameters, ParameterValues } from './parameters.ts';
import { expandPath, type Method, parameterNames } from './paths.ts';
import type { RateLimitName } from './rate-limit-names.ts';
import type { Reply } from './reply.ts';

export interface Requester {
  readonly userId: UserId;
  /** Absent where the token belongs to no device. */
  readonly deviceId?: DeviceId;
  /** ms since the epoch: one of the same id that was deleted before then was another. */
  readonly deviceCreatedTs?: number;
  readonly isGuest: boolean;
  readonly accessTokenId: string;
}

/** Another server, by its signature (Server-Server API, "Request Authentication"). */
export interface RequestingServer {
  readonly origin: ServerName;
}

/**
 * `none`: tokens are not looked at. `optional`: none is fine, a wrong one is not. `user`: guests are
 * refused with M_GUEST_ACCESS_FORBIDDEN. `guest`: users and guests. `server`: another server, which has signed
 * method, URI and body; numbers of the body are exact (see parseJsonExactly).
 */
export type Auth = 'none' | 'optional' | 'user' | 'guest' | 'server';

type RequesterOf<A extends Auth> = A extends 'none'
  ? undefined
  : A extends 'server'
    ? RequestingServer
    : A extends 'optional'
      ? Requester | undefined
      : Requester;

type BodyOf<B> = B extends TSchema ? Static<B> : undefined;

/** Parsed once, checked for type alone: for bodies whose keys are the client's own affair. */
export const jsonObject = Type.Unsafe<JsonObject>({ type: 'object' });

export interface RouteRequest<P, Q, B, R> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly requester: R;
  /** Without the `::ffff:` of mapped IPv4. */
  readonly remoteAddress: string;
  readonly userAgent: string | undefined;
  /** As the client wrote it. */
  readonly contentType: string | undefined;
  /** Aborted when the client goes away and when the server shuts down: answer a long poll at once. */
  readonly signal: AbortSignal;
  /** Only for `rawBody` routes: the bytes of the body; exceeding `maxBodyBytes` errors it with M_TOO_LARGE. */
  readonly stream: Readable;
}

export interface RouteSpec<
  P extends Parameters,
  Q extends Parameters,
  B extends TSchema | undefined,
  A extends Auth,
> {
  /** Of the specification's OpenAPI. */
  readonly operationId: string;
  readonly method: Method;
  /** Whole paths, `{r0,v3}` stands for each of them: `/_matrix/client/{r0,v3}/rooms/:roomId/state/:eventType{,/}`. */
  readonly paths: readonly string[];
  readonly auth: A;
  /** One reader for each `:name` of the paths. */
  readonly params?: P;
  readonly query?: Q;
  /** Of an object. Absent: a body is neither wanted nor looked at. */
  readonly body?: B;
  /** An absent body counts as `{}`. */
  readonly bodyOptional?: boolean;
  /** Only for `server` routes: text that cannot be kept is let through, for the handler to refuse piece by piece. */
  readonly anyText?: boolean;
  /** Only for `server` routes: of each server one request at a time, others wait before they are read. */
  readonly oneAtATime?: boolean;
  /** The body is bytes, given as `stream`. */
  readonly rawBody?: boolean;
  /** Bytes; default DEFAULT_MAX_BODY_BYTES. */
  readonly maxBodyBytes?: number;
  /** Taken per user or server, or per address where nobody is signed in. */
  readonly rateLimit?: RateLimitName;
  /** Where this endpoint's specification has another status than error-response.ts. */
  readonly errorStatus?: StatusOverrides;
  /** An object is answered as JSON with 200; `reply()` for everything else. */
  handler(
    request: RouteRequest<ParameterValues<P>, ParameterValues<Q>, BodyOf<B>, RequesterOf<A>>,
  ): Promise<object | Reply>;
}

export const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;

/** A route as the server takes it: its types are used up. */
export interface Route extends RouteSpec<Parameters, Parameters, TSchema | undefined, Auth> {
  /** Expanded. */
  readonly paths: readonly string[];
  readonly checkBody: BodyCheck | undefined;
}

type NoParameters = Record<never, never>;

export function route<
  P extends Parameters = NoParameters,
  Q extends Parameters = NoParameters,
  B extends TSchema | undefined = undefined,
  const A extends Auth = Auth,
>(spec: RouteSpec<P, Q, B, A>): Route {
  const paths = spec.paths.flatMap(expandPath);
  for (const path of paths) checkPath(spec.operationId, path, spec.params ?? {});
  const checkBody = spec.body === undefined ? undefined : createBodyCheck(spec.body);
  return { ...(spec as unknown as Route), paths, checkBody };
}

function checkPath(operationId: string, path: string, params: Parameters): void {
  const inPath = parameterNames(path);
  if (!path.startsWith('/')) throw new Error(`${operationId}: the path ${path} is not absolute`);
  for (const name of inPath) {
    if (!(name in params)) throw new Error(`${operationId}: ':${name}' of ${path} has no reader`);
  }
  for (const name in params) {
    const { whenAbsent } = params[name] as Parameters[string];
    if (whenAbsent === undefined && !inPath.includes(name)) {
      throw new Error(`${operationId}: '${name}' does not stand in ${path}`);
    }
  }
}
