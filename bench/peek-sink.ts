// Very many other servers, as far as a sender can tell: answers every transaction under whatever name, in a process of its
// own, and tells the parent how many have come.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SERVER_CERTIFICATE } from '../test/tls/fixtures.ts';

const TELL_MS = 20;

let received = 0;
const server = createServer(
  {
    cert: readFileSync(SERVER_CERTIFICATE.certPath),
    key: readFileSync(SERVER_CERTIFICATE.keyPath),
    keepAliveTimeout: 600_000,
  },
  (request, response) => {
    request.resume();
    request.on('end', () => {
      if (request.url?.includes('/send/')) received += 1;
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"pdus":{}}');
    });
  },
);
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
setInterval(() => process.send?.({ received }), TELL_MS);
