// Which state authorizes an event (Server-Server API, "Auth events selection").

import { isJsonObject, type JsonObject } from '../json.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';

export interface StateTuple {
  readonly type: string;
  readonly stateKey: string;
}

/** What the selection looks at: a Pdu, or an event that is still being built. */
export interface AuthTypesInput {
  readonly type: string;
  readonly stateKey: string | undefined;
  readonly sender: string;
  readonly content: JsonObject;
}

/** Without duplicates; empty for m.room.create. */
export function authTypesFor(event: AuthTypesInput, rules: RoomVersionRules): StateTuple[] {
  if (event.type === 'm.room.create') return [];
  const tuples: StateTuple[] = [
    { type: 'm.room.power_levels', stateKey: '' },
    { type: 'm.room.member', stateKey: event.sender },
  ];
  if (!rules.roomIdIsCreateEventId) tuples.unshift({ type: 'm.room.create', stateKey: '' });
  return event.type === 'm.room.member' ? tuples.concat(memberAuthTypes(event, rules)) : tuples;
}

function memberAuthTypes(event: AuthTypesInput, rules: RoomVersionRules): StateTuple[] {
  const { membership } = event.content;
  const tuples: StateTuple[] = [];
  if (event.stateKey !== undefined && event.stateKey !== event.sender) {
    tuples.push({ type: 'm.room.member', stateKey: event.stateKey });
  }
  if (membership === 'join' || membership === 'invite' || membership === 'knock') {
    tuples.push({ type: 'm.room.join_rules', stateKey: '' });
  }
  const token = membership === 'invite' ? thirdPartyToken(event.content) : undefined;
  if (token !== undefined) tuples.push({ type: 'm.room.third_party_invite', stateKey: token });
  const authorisedVia = event.content.join_authorised_via_users_server;
  const isNamed = authorisedVia === event.sender || authorisedVia === event.stateKey;
  if (
    membership === 'join' &&
    rules.restrictedJoins &&
    typeof authorisedVia === 'string' &&
    !isNamed
  ) {
    tuples.push({ type: 'm.room.member', stateKey: authorisedVia });
  }
  return tuples;
}

/** `content.third_party_invite.signed.token`, when it is a string. */
function thirdPartyToken(content: JsonObject): string | undefined {
  const invite = content.third_party_invite;
  const signed = isJsonObject(invite) ? invite.signed : undefined;
  const token = isJsonObject(signed) ? signed.token : undefined;
  return typeof token === 'string' ? token : undefined;
}
