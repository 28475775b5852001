// A set of state as the authorization rules see it.

import type { Pdu } from '../events/pdu.ts';

export type StateLookup = (type: string, stateKey: string) => Pdu | undefined;
