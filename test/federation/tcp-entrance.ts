// The port in a server's name, with nothing behind it but the server's own TLS listener: bytes are passed on as they are.

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Entrance } from './entrance.ts';

export async function openTcpEntrance(): Promise<Entrance> {
  const sockets = new Set<Socket>();
  let backend: number | undefined;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer((socket) => {
    keep(socket);
    socket.on('error', () => socket.destroy());
    if (backend === undefined) {
      socket.destroy();
      return;
    }
    const onward = connect(backend, '127.0.0.1');
    keep(onward);
    onward.on('error', () => socket.destroy());
    onward.once('close', () => socket.destroy());
    socket.once('close', () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    serverName: `localhost:${(server.address() as AddressInfo).port}`,
    leadTo: (port) => {
      backend = port;
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
