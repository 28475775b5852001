// What other servers send.

import type { RoomserverContext } from '../context.ts';
import type { ServingApi } from '../serving-api.ts';
import { receivePdus } from './receive-pdus.ts';

export function createReceivingApi(
  context: RoomserverContext,
): Pick<ServingApi, 'performReceivePdus'> {
  return { performReceivePdus: (request) => receivePdus(context, request) };
}
