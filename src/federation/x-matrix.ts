// The Authorization header of signed requests (Server-Server API, "Request Authentication"; RFC 9110, section 11.4).

import { encodeCanonicalJsonInTurns } from '../canonical-json-in-turns.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { JsonValue } from '../protocol/json.ts';
import { signedTextOfJson, signText } from '../protocol/signing.ts';
import type { SigningKey } from '../protocol/signing-key.ts';
import { releaseBytes } from '../release-bytes.ts';

/** What is signed of a request. */
export interface SignedRequest {
  readonly method: string;
  /** As it stands in the request line, with the query. */
  readonly uri: string;
  readonly origin: ServerName;
  readonly destination: ServerName;
  /** Absent where the request has no body. */
  readonly content?: JsonValue | undefined;
}

export interface XMatrix {
  readonly origin: string;
  /** Older servers leave it out. */
  readonly destination: string | undefined;
  readonly key: string;
  readonly sig: string;
}

/** The text of which the signature is made. Throws M_BAD_JSON where the content has no canonical form. */
export function signedTextOfRequest(request: SignedRequest): string {
  const { method, uri, origin, destination, content } = request;
  return signedTextOfJson({ method, uri, origin, destination, content });
}

/** As `signedTextOfRequest`, in UTF-8, of large content without holding others up. */
export async function signedTextInTurns(request: SignedRequest): Promise<Buffer> {
  const { content, ...others } = request;
  const rest = signedTextOfRequest(others);
  if (content === undefined) return Buffer.from(rest);
  const encoded = await encodeCanonicalJsonInTurns(content);
  // `content` comes before all other keys.
  const text = [Buffer.from('{"content":'), ...encoded, Buffer.from(`,${rest.slice(1)}`)];
  const whole = Buffer.concat(text);
  for (const piece of encoded) releaseBytes(piece);
  return whole;
}

export function xMatrixHeader(request: SignedRequest, signingKey: SigningKey): string {
  const sig = signText(signedTextOfRequest(request), signingKey);
  const { origin, destination } = request;
  return `X-Matrix origin="${origin}",destination="${destination}",key="${signingKey.keyId}",sig="${sig}"`;
}

export function isXMatrixHeader(header: string): boolean {
  return /^x-matrix(?: |$)/i.test(header);
}

/** A header of this scheme; undefined where it breaks the grammar, names a parameter twice or lacks one. */
export function parseXMatrixHeader(header: string): XMatrix | undefined {
  const list = /^x-matrix +(.*)$/i.exec(header)?.[1];
  const parameters = list === undefined ? undefined : parseParameters(list);
  const [origin, key, sig] = ['origin', 'key', 'sig'].map((name) => parameters?.get(name));
  if (origin === undefined || key === undefined || sig === undefined) return undefined;
  return { origin, destination: parameters?.get('destination'), key, sig };
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/** Unlike a token it may have colons: older servers do not quote them. */
const BARE_VALUE = "[!#$%&'*+.^_`|~0-9A-Za-z:-]+";
const QUOTED =
  '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"';

/** One parameter, or none: RFC 9110 wants empty elements of a list to be borne. */
const ELEMENT = new RegExp(
  `[ \\t]*(?:(${TOKEN})[ \\t]*=[ \\t]*(${BARE_VALUE}|${QUOTED}))?[ \\t]*(,|$)`,
  'y',
);

function parseParameters(list: string): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>();
  for (let index = 0, more = true; more; ) {
    ELEMENT.lastIndex = index;
    const match = ELEMENT.exec(list);
    if (match === null) return undefined;
    const [whole, name, value, end] = match;
    if (name !== undefined && value !== undefined) {
      if (parameters.has(name.toLowerCase())) return undefined;
      parameters.set(name.toLowerCase(), unquoted(value));
    }
    index += whole.length;
    more = end === ',';
  }
  return parameters;
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
}
