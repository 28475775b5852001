// Handshakes with other servers, by topic.

import type { FederationsenderApi } from '../api.ts';
import type { HandshakeContext } from './context.ts';
import { makeHandshake } from './make-handshake.ts';
import { offerEvent } from './offer-event.ts';
import { queryRemoteAlias } from './query-remote-alias.ts';
import { sendJoin, sendKnock, sendLeave } from './send-handshake.ts';
import { sendInvite } from './send-invite.ts';

export type HandshakeApi = Pick<
  FederationsenderApi,
  | 'performMakeHandshake'
  | 'performSendJoin'
  | 'performSendLeave'
  | 'performSendKnock'
  | 'performOfferEvent'
  | 'performSendInvite'
  | 'queryRemoteAlias'
>;

export function createHandshakeApi(context: HandshakeContext): HandshakeApi {
  return {
    performMakeHandshake: (request) => makeHandshake(context, request),
    performSendJoin: (request) => sendJoin(context, request),
    performSendLeave: (request) => sendLeave(context, request),
    performSendKnock: (request) => sendKnock(context, request),
    performOfferEvent: (request) => offerEvent(context, request),
    performSendInvite: (request) => sendInvite(context, request),
    queryRemoteAlias: (request) => queryRemoteAlias(context, request),
  };
}
