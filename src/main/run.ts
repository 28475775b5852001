// Runs one command; resolves with the exit status.

import { readFileSync } from 'node:fs';
import { ListenError } from '../http/listener.ts';
import { StartupError } from '../startup-error.ts';
import { parseArguments, USAGE } from './arguments.ts';
import { createUser } from './create-user.ts';
import { serve } from './serve.ts';

const STARTUP_REFUSED = 2;

export async function run(args: readonly string[]): Promise<number> {
  try {
    const command = parseArguments(args);
    switch (command.name) {
      case 'help':
        process.stdout.write(USAGE);
        return 0;
      case 'version':
        process.stdout.write(`keyhole ${version()}\n`);
        return 0;
      case 'user create':
        return await createUser(command);
      case 'serve':
        return await serve(command.config, version());
    }
  } catch (error) {
    if (!(error instanceof StartupError || error instanceof ListenError)) throw error;
    process.stderr.write(`keyhole: ${remedied(error)}\n`);
    return STARTUP_REFUSED;
  }
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
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
