// An event between the steps of the pipeline, and what can become of it.

import type { Pdu } from '../../protocol/events/pdu.ts';
import type { EventId, ServerName } from '../../protocol/identifiers.ts';
import type { EventFate } from '../api.ts';

/** Has passed the checks that need nothing but the event and keys. */
export interface CheckedEvent {
  /** Redacted, when its content did not match its hash. */
  readonly pdu: Pdu;
  /** The servers whose valid signatures it carries, among those that matter for it. */
  readonly signedBy: ReadonlySet<ServerName>;
}

export type Dropped = Extract<EventFate, { rule: string }>;

export function dropped(rule: string, reason: string, eventId?: EventId): Dropped {
  return { fate: 'dropped', rule, reason, ...(eventId !== undefined && { eventId }) };
}

export function isDropped(result: CheckedEvent | Dropped): result is Dropped {
  return 'fate' in result;
}

export function isChecked(result: CheckedEvent | Dropped): result is CheckedEvent {
  return !isDropped(result);
}
