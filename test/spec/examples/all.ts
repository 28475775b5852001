// Every built operation by example.

import { accounts } from './accounts.ts';
import { backups } from './backups.ts';
import { encryption } from './encryption.ts';
import { events, following } from './events.ts';
import type { Examples } from './example.ts';
import { accountData, markers, pushRules } from './markers.ts';
import { media } from './media.ts';
import { people } from './people.ts';
import { directory, rooms } from './rooms.ts';

/** By topic, and within it by operationId. */
export const EXAMPLES: Readonly<Record<string, Examples>> = {
  accounts,
  encryption,
  backups,
  people,
  rooms,
  directory,
  events,
  following,
  markers,
  accountData,
  pushRules,
  media,
};
