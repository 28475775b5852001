// The rule of m.room.aliases, in the room versions that treat it specially (1 to 5).

import { serverNameOf } from '../identifiers.ts';
import { type AuthCheck, rejectBy } from './auth-check.ts';
import { ALLOWED, type Verdict } from './verdict.ts';

export function authorizeAliases({ event, rules }: AuthCheck): Verdict {
  if (event.stateKey === undefined) {
    return rejectBy(rules, 'aliases.stateKey', 'm.room.aliases has no state key');
  }
  if (serverNameOf(event.sender) !== event.stateKey) {
    return rejectBy(rules, 'aliases.server', "the state key is not the sender's server");
  }
  return ALLOWED;
}
