// Consumes `edu.to_device`: messages to devices of other servers' users wait for their server.

import type { ToDeviceMessage } from '../../eventlog/entries.ts';
import type { Consumer, LogEntry } from '../../eventlog/eventlog.ts';
import { type ServerName, serverNameOf } from '../../protocol/identifiers.ts';
import { randomOpaqueId } from '../../protocol/opaque-ids.ts';
import type { FederationsenderContext } from '../context.ts';
import { insertToDevice, type QueuedMessage } from '../store/to-device.ts';

type Topic = 'edu.to_device';

/** By it the other server knows a message that it has got already; 32 characters at most. */
const MESSAGE_ID_LENGTH = 24;

export function consumeToDevice(context: FederationsenderContext): Consumer<Topic> {
  const { serverName, destinationIds, dispatcher, database } = context;
  return {
    name: 'federationsender',
    topic: 'edu.to_device',
    database,
    apply: async (tx, entries) => {
      const outgoing = entries.filter(({ entry }) => isOutgoing(entry, serverName));
      if (outgoing.length === 0) return;
      const servers = new Set(outgoing.map(({ entry }) => serverNameOf(entry.recipient)));
      const ids = await destinationIds.resolve(tx, servers);
      await insertToDevice(
        tx,
        outgoing.map((entry) => queuedMessage(entry, ids)),
      );
      tx.afterCommit(() => dispatcher.wake(ids.values()));
    },
  };
}

function isOutgoing({ sender, recipient }: ToDeviceMessage, serverName: ServerName): boolean {
  return serverNameOf(sender) === serverName && serverNameOf(recipient) !== serverName;
}

function queuedMessage(
  { position, entry }: LogEntry<Topic>,
  ids: ReadonlyMap<ServerName, number>,
): QueuedMessage {
  const { sender, recipient, deviceId, type, content } = entry;
  const destinationId = ids.get(serverNameOf(recipient));
  if (destinationId === undefined) throw new Error('a recipient has no destination');
  const edu = {
    edu_type: 'm.direct_to_device',
    content: {
      sender,
      type,
      message_id: randomOpaqueId(MESSAGE_ID_LENGTH),
      messages: { [recipient]: { [deviceId]: content } },
    },
  };
  return { destinationId, position, edu: JSON.stringify(edu) };
}
