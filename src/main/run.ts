// Runs one command; resolves with the exit status. Each loads what it needs: help is not kept waiting for a server.

import { ListenError } from '../http/listener.ts';
import { StartupError } from '../startup-error.ts';
import { readVersion } from '../version.ts';
import { parseArguments, USAGE } from './arguments.ts';

const STARTUP_REFUSED = 2;

export async function run(args: readonly string[]): Promise<number> {
  try {
    const command = parseArguments(args);
    switch (command.name) {
      case 'help':
        process.stdout.write(USAGE);
        return 0;
      case 'version':
        process.stdout.write(`keyhole ${readVersion()}\n`);
        return 0;
      case 'user create':
        return await (await import('./create-user.ts')).createUser(command);
      case 'log':
        return await (await import('./parked-keys.ts')).listParked(command.config);
      case 'log retry':
        return await (await import('./parked-keys.ts')).retryParked(command.config);
      case 'peeks':
        return await (await import('./peeks.ts')).showPeeks(command.config);
      case 'serve':
        return await (await import('./serve.ts')).serve(command.config, readVersion());
    }
  } catch (error) {
    if (!(error instanceof StartupError || error instanceof ListenError)) throw error;
    process.stderr.write(`keyhole: ${remedied(error)}\n`);
    return STARTUP_REFUSED;
  }
}

function remedied(error: StartupError | ListenError): string {
  if (!(error instanceof ListenError)) return error.message;
  const { host, port } = error.listener;
  const place = `listeners: cannot listen on ${host}:${port}`;
  if (error.code === 'EADDRINUSE') {
    return `${place}, the port is in use: stop who uses it, or choose another port`;
  }
  if (error.code === 'EACCES')
    return `${place}, ports below 1024 are reserved: choose another port`;
  return `${place} (${error.code}): choose an address of this machine`;
}
