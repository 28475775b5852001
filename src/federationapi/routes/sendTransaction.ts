// PUT /_matrix/federation/v1/send/{txnId}: what happens on another server, as it happens.

import { shortText } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { FederationapiContext } from '../context.ts';
import { receiveEdus } from '../edus/receive-edus.ts';
import { receiveExpiredPeeks } from '../expired-peeks.ts';
import { RecentTransactions } from '../recent-transactions.ts';

const MAX_PDUS = 50;
const MAX_EDUS = 100;
const MAX_EXPIRED_PEEKS = 1000;
/** 50 PDUs of 64 KiB each, and EDUs of which each may hold messages to many devices. */
const MAX_BYTES = 10 * 1024 * 1024;

export function sendTransaction(context: FederationapiContext): Route {
  const transactions = new RecentTransactions();
  return route({
    operationId: 'sendTransaction',
    method: 'PUT',
    paths: ['/_matrix/federation/v1/send/:txnId{,/}'],
    auth: 'server',
    rateLimit: 'federationTransaction',
    params: { txnId: shortText() },
    body: Type.Object({
      pdus: Type.Array(jsonObject, { maxItems: MAX_PDUS }),
      edus: Type.Optional(
        Type.Array(Type.Object({ edu_type: Type.String(), content: jsonObject }), {
          maxItems: MAX_EDUS,
        }),
      ),
      expired_peeks: Type.Optional(Type.Array(jsonObject, { maxItems: MAX_EXPIRED_PEEKS })),
    }),
    maxBodyBytes: MAX_BYTES,
    anyText: true,
    oneAtATime: true,
    handler: async ({ requester: { origin }, params: { txnId: transactionId }, body }) => {
      const { pdus, edus = [] } = body;
      return await transactions.once(origin, transactionId, async () => {
        const request = { origin, transactionId, pdus };
        const { results } = await context.roomserver.performReceivePdus(request);
        await receiveEdus(context, origin, edus);
        await receiveExpiredPeeks(context, origin, body.expired_peeks ?? []);
        return { pdus: results };
      });
    },
  });
}
