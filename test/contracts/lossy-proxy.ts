// A TCP proxy that can lose or hold back the answer to a COMMIT: the server has committed, and nobody here knows.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface LossyProxy {
  /** The given URL, by way of the proxy. */
  readonly url: string;
  /** Lets the next COMMIT that succeeds through, and drops the connection instead of the server's answer. */
  loseNextCommit(): void;
  /** How many answers were lost. */
  lost(): number;
  /** Lets the next COMMIT through; `committed` resolves when the server has answered, `release` passes that on. */
  holdNextCommit(): { readonly committed: Promise<void>; readonly release: () => void };
  /** Breaks all connections, and new ones too until `heal`. */
  cut(): void;
  heal(): void;
  close(): Promise<void>;
}

export async function openLossyProxy(target: string): Promise<LossyProxy> {
  const { port, hostname } = new URL(target);
  const sockets = new Set<Socket>();
  /** What becomes of the answer to the next COMMIT that is sent from now on and succeeds. */
  let intercept: ((client: Socket, answer: string | Buffer) => void) | undefined;
  let lost = 0;
  let isCut = false;
  const dropAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((client) => {
    if (isCut) return void client.destroy();
    const upstream = connect(Number(port), hostname);
    let answer: typeof intercept;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', (chunk) => {
      if (chunk.includes('COMMIT')) answer = intercept;
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      // A COMMIT may be answered with ROLLBACK, or go down with its connection: then it is another's turn.
      if (answer === undefined || answer !== intercept || !chunk.includes('COMMIT')) {
        client.write(chunk);
        return;
      }
      intercept = undefined;
      answer(client, chunk);
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
      intercept = (client) => {
        lost += 1;
        client.destroy();
      };
    },
    lost: () => lost,
    holdNextCommit: () => {
      const committed = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      intercept = (client, answer) => {
        committed.resolve();
        void released.promise.then(() => client.write(answer));
      };
      return { committed: committed.promise, release: released.resolve };
    },
    cut: () => {
      isCut = true;
      dropAll();
    },
    heal: () => {
      isCut = false;
    },
    close: async () => {
      dropAll();
      server.close();
      await once(server, 'close');
    },
  };
}
