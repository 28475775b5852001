// Which servers may take part in a room (Client-Server API, "m.room.server_acl"). What is malformed in the event counts
// as absent, so that no mistake in it lets a server in that would be kept out, but for `allow_ip_literals`.

import { compileGlob, type GlobMatcher } from './glob.ts';
import type { ServerName } from './identifiers.ts';
import type { JsonObject, JsonValue } from './json.ts';

interface ServerAcl {
  readonly allowsIpLiterals: boolean;
  readonly allow: readonly GlobMatcher[];
  readonly deny: readonly GlobMatcher[];
}

/** Some rooms deny thousands of servers, and every request into them asks. */
const compiled = new WeakMap<JsonObject, ServerAcl>();

/** `content`: of the m.room.server_acl event of the current state, undefined where there is none. */
export function isAllowedByAcl(content: JsonObject | undefined, server: ServerName): boolean {
  if (content === undefined) return true;
  const acl = compiled.get(content) ?? compile(content);
  const host = hostOf(server);
  if (!acl.allowsIpLiterals && isIpLiteral(host)) return false;
  if (acl.deny.some((matches) => matches(host))) return false;
  return acl.allow.some((matches) => matches(host));
}

function compile(content: JsonObject): ServerAcl {
  const acl = {
    allowsIpLiterals: content.allow_ip_literals !== false,
    allow: globsIn(content.allow),
    deny: globsIn(content.deny),
  };
  compiled.set(content, acl);
  return acl;
}

function globsIn(value: JsonValue | undefined): readonly GlobMatcher[] {
  if (!Array.isArray(value)) return [];
  const texts = (value as readonly JsonValue[]).filter((one) => typeof one === 'string');
  return texts.map(compileGlob);
}

/** Without the port. */
function hostOf(server: ServerName): string {
  return server.replace(/:[0-9]{1,5}$/, '');
}

function isIpLiteral(host: string): boolean {
  return host.startsWith('[') || /^[0-9]+(?:\.[0-9]+){3}$/.test(host);
}
