// Calls routes by what they are: operation, parameters, body.

import { request } from 'undici';
import type { Route } from '../../src/http/route.ts';

export interface Session {
  readonly userId: string;
  readonly deviceId: string;
  readonly token: string;
}

export interface Call {
  /** Null: nobody is signed in. Absent: alice is. */
  readonly as?: Session | null;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  /** Becomes JSON. */
  readonly body?: unknown;
  /** Sent as they are. */
  readonly bytes?: string | Uint8Array;
  readonly contentType?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON, else bytes. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into responses of every shape
  readonly body: any;
}

export interface RequestOptions {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export async function callRoute(baseUrl: string, route: Route, call: Call): Promise<Answer> {
  return await fetchAnswer(baseUrl + pathOf(route, call.params ?? {}) + queryOf(call), {
    method: route.method,
    headers: headersOf(call),
    ...bodyOf(call),
  });
}

export async function fetchAnswer(url: string, init: RequestOptions): Promise<Answer> {
  const {
    statusCode: status,
    headers: found,
    body: stream,
  } = await request(url, { ...init, method: init.method as Route['method'] });
  const headers = new Headers(found as Record<string, string>);
  const isJson = headers.get('content-type')?.startsWith('application/json') === true;
  const body = isJson ? await stream.json() : await stream.bytes();
  return { status, headers, body };
}

/** The path of the newest version, with all parameters that there are values for. */
export function pathOf(route: Route, params: Readonly<Record<string, string>>): string {
  const encoded = Object.entries(params).map(([name, value]) => [name, encodeURIComponent(value)]);
  return rawPathOf(route, Object.fromEntries(encoded));
}

/** As pathOf, with values as they are to stand in the URL. */
export function rawPathOf(route: Route, params: Readonly<Record<string, string>>): string {
  const values: Readonly<Record<string, string>> = { scope: 'global', ...params };
  const suited = route.paths.filter((path) => namesIn(path).every((name) => name in values));
  const best = suited.toSorted((a, b) => rank(b) - rank(a))[0] ?? '';
  return best.replaceAll(/:(\w+)/g, (_, name: string) => values[name] ?? '');
}

function namesIn(path: string): readonly string[] {
  return [...path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '');
}

function rank(path: string): number {
  return namesIn(path).length * 10 + (path.includes('/v3/') ? 1 : 0);
}

export function queryOf({ query = {} }: Call): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}=${encodeURIComponent(one)}`),
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

export function headersOf({ as, contentType, body, bytes }: Call): Record<string, string> {
  const isEmpty = body === undefined && bytes === undefined;
  const type = contentType ?? (isEmpty ? undefined : 'application/json');
  return {
    ...(as !== null && as !== undefined && { authorization: `Bearer ${as.token}` }),
    ...(type !== undefined && { 'content-type': type }),
  };
}

export function bodyOf({ body, bytes }: Call): { body?: string | Uint8Array } {
  if (bytes !== undefined) return { body: bytes };
  return body === undefined ? {} : { body: JSON.stringify(body) };
}
