// What each authorization rule is given, and how it answers.

import type { Pdu } from '../events/pdu.ts';
import type { ServerName } from '../identifiers.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';
import type { RoomView } from './room-view.ts';
import { type RuleName, ruleNumber } from './rule-numbers.ts';
import type { Verdict } from './verdict.ts';

export interface AuthCheck {
  readonly event: Pdu;
  readonly room: RoomView;
  readonly rules: RoomVersionRules;
  readonly isSignedBy: (server: ServerName) => boolean;
}

/** Rejects by a rule, which is numbered as in the room version at hand. */
export function rejectBy(rules: RoomVersionRules, rule: RuleName, reason: string): Verdict {
  return { allowed: false, rule: ruleNumber(rules, rule), reason };
}
