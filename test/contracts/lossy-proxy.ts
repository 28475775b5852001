// A TCP proxy that can lose the answer to a COMMIT: the server has committed, and nobody here knows.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface LossyProxy {
  /** The given URL, by way of the proxy. */
  readonly url: string;
  /** Lets the next COMMIT through, waits until the server has answered, and drops the connection instead. */
  loseNextCommit(): void;
  /** How many answers were lost. */
  lost(): number;
  close(): Promise<void>;
}

export async function openLossyProxy(target: string): Promise<LossyProxy> {
  const { port, hostname } = new URL(target);
  const sockets = new Set<Socket>();
  let armed = false;
  let lost = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let losing = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', (chunk) => {
      if (armed && chunk.includes('COMMIT')) {
        armed = false;
        losing = true;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (!losing) client.write(chunk);
      else if (chunk.includes('COMMIT') && !client.destroyed) {
        lost += 1;
        client.destroy();
      }
    });
    client.on('close', () => upstream.end());
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    loseNextCommit: () => {
      armed = true;
    },
    lost: () => lost,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
