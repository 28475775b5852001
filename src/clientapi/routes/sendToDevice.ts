// PUT /sendToDevice/{eventType}/{txnId}.

import type { ToDeviceMessage } from '../../eventlog/entries.ts';
import { shortText } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { MatrixError } from '../../protocol/error.ts';
import { parseDeviceId, parseUserId, type UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { ClientapiContext } from '../context.ts';
import { publishToDevice } from '../edus.ts';
import { ToDeviceTransactions } from '../to-device-transactions.ts';
import { deviceOf } from '../viewer.ts';

type Messages = Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;

export function sendToDevice(context: ClientapiContext): Route {
  const transactions = new ToDeviceTransactions();
  return route({
    operationId: 'sendToDevice',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3,unstable}/sendToDevice/:eventType/:txnId'],
    auth: 'guest',
    rateLimit: 'message',
    params: { eventType: shortText(), txnId: shortText() },
    body: Type.Object({
      messages: Type.Record(Type.String(), Type.Record(Type.String(), jsonObject)),
    }),
    handler: async ({ requester, params: { eventType: type, txnId }, body }) => {
      const sender = requester.userId;
      const messages = messagesOf(body.messages, { sender, type });
      const { deviceCreatedTs } = requester;
      const key = [sender, deviceOf(requester), String(deviceCreatedTs), type, txnId];
      await transactions.once(key, () => send(context, messages));
      return {};
    },
  });
}

async function send(
  context: ClientapiContext,
  messages: readonly Omit<ToDeviceMessage, 'v'>[],
): Promise<void> {
  if (messages.length === 0) return;
  const written = await publishToDevice(context, messages);
  await context.syncserver.waitForPositions({ toDevice: written.position });
}

/** Clients send to some dozens at a time. */
const MAX_MESSAGES = 1_000;

/** Throws M_INVALID_PARAM, M_TOO_LARGE. */
function messagesOf(
  byUser: Messages,
  common: { readonly sender: UserId; readonly type: string },
): readonly Omit<ToDeviceMessage, 'v'>[] {
  const count = Object.values(byUser).reduce(
    (sum, devices) => sum + Object.keys(devices).length,
    0,
  );
  if (count > MAX_MESSAGES) {
    throw new MatrixError('M_TOO_LARGE', `At most ${MAX_MESSAGES} devices are sent to at a time`);
  }
  return Object.entries(byUser).flatMap(([user, byDevice]) => {
    const recipient = parseUserId(user);
    return Object.entries(byDevice).map(([device, content]) => {
      const deviceId = device === '*' ? '*' : parseDeviceId(device);
      return { ...common, recipient, deviceId, content };
    });
  });
}
