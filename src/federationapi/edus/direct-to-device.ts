// m.direct_to_device: messages to devices of our users. Each is handed on once, across restarts: its sender and id are
// stored with the log entries that it becomes.

import { ENTRY_VERSION, type ToDeviceMessage } from '../../eventlog/entries.ts';
import { MatrixError } from '../../protocol/error.ts';
import {
  isDeviceId,
  isIdentifierText,
  type ServerName,
  type UserId,
} from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject } from '../../protocol/json.ts';
import type { FederationapiContext } from '../context.ts';
import { deleteReceivedMessages, insertReceivedMessage } from '../store/received-messages.ts';
import { checkedUserOf, isUserOf, type ReceivedEdu } from './edu.ts';

/** To as many devices at once; servers send to some dozens. */
const MAX_MESSAGES = 1_000;
/** ms: a server that was away for longer may repeat what was received. */
const REMEMBERED = 30 * 24 * 3_600_000;
const FORGOTTEN_AT_ONCE = 10;

export async function receiveDirectToDevice(
  { database, eventLog, clock, serverName }: FederationapiContext,
  { origin, content }: ReceivedEdu,
): Promise<void> {
  const sender = checkedUserOf(origin, content.sender);
  const { type, message_id: messageId, messages } = content;
  if (!isIdentifierText(type) || !isIdentifierText(messageId) || !isJsonObject(messages)) {
    throw new MatrixError('M_BAD_JSON', 'The to-device message is malformed');
  }
  const entries = entriesIn(messages, { sender, type, serverName });
  if (entries.length === 0) return;
  const receivedTs = clock.now();
  await database.transact(async (tx) => {
    if (!(await insertReceivedMessage(tx, { sender, messageId, receivedTs }))) return;
    await deleteReceivedMessages(tx, receivedTs - REMEMBERED, FORGOTTEN_AT_ONCE);
    await eventLog.append(tx, 'edu.to_device', entries);
  });
}

interface Entry {
  readonly key: UserId;
  readonly entry: ToDeviceMessage;
}

/** Throws M_TOO_LARGE. What is not for a device of ours is left out. */
function entriesIn(
  messages: JsonObject,
  from: { readonly sender: UserId; readonly type: string; readonly serverName: ServerName },
): readonly Entry[] {
  const { sender, type, serverName } = from;
  const entries: Entry[] = [];
  for (const [recipient, byDevice] of Object.entries(messages)) {
    if (!isUserOf(serverName, recipient) || !isJsonObject(byDevice)) continue;
    for (const [deviceId, content] of Object.entries(byDevice)) {
      if (!isDeviceId(deviceId) || !isJsonObject(content)) continue;
      const entry = { v: ENTRY_VERSION, sender, recipient, deviceId, type, content };
      entries.push({ key: recipient, entry });
    }
  }
  if (entries.length > MAX_MESSAGES) {
    throw new MatrixError('M_TOO_LARGE', `At most ${MAX_MESSAGES} devices are sent to at a time`);
  }
  return entries;
}
