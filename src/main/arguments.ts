// The command line.

import { parseArgs } from 'node:util';
import { StartupError } from '../startup-error.ts';

export const USAGE = `Usage: keyhole [serve] [--config FILE]
       keyhole user create NAME [--config FILE] [--admin] [--password-stdin]
       keyhole log [retry] [--config FILE]
       keyhole peeks [--config FILE]

Without --config Keyhole runs a local trial: http://localhost:8008, data under ./data.

Commands:
  serve            run the server (the default)
  user create      make an account while the server is stopped; prints a password unless given one
  log              tell, while the server is stopped, what could not be applied and is parked
  log retry        try it again, as every start of the server does
  peeks            list looks into rooms of other servers, and theirs into ours, while the server runs or not

Options:
  --config FILE    YAML; the keys are described in docs/operating.md
  --admin          the account may use the administration endpoints
  --password-stdin take the password from the first line of standard input
  --help           this text
  --version        the version
`;

export type Command =
  | { readonly name: 'help' | 'version' }
  | { readonly name: 'serve' | 'log' | 'log retry' | 'peeks'; readonly config: string | undefined }
  | {
      readonly name: 'user create';
      readonly config: string | undefined;
      readonly localpart: string;
      readonly isAdmin: boolean;
      readonly passwordFromStdin: boolean;
    };

/** Throws StartupError. */
export function parseArguments(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  if (values.help) return { name: 'help' };
  if (values.version) return { name: 'version' };
  const [first = 'serve', second, localpart, ...more] = positionals;
  const { config } = values;
  if (first === 'user' && second === 'create' && localpart !== undefined && more.length === 0) {
    const isAdmin = values.admin;
    return {
      name: 'user create',
      config,
      localpart,
      isAdmin,
      passwordFromStdin: values['password-stdin'],
    };
  }
  if (first === 'user') throw usageError('it is "keyhole user create NAME"');
  if (first !== 'serve' && first !== 'log' && first !== 'peeks') {
    throw usageError(`unknown command '${first}'`);
  }
  if (values.admin || values['password-stdin']) {
    throw usageError('--admin and --password-stdin belong to "user create"');
  }
  if (first === 'log' && second === 'retry' && localpart === undefined) {
    return { name: 'log retry', config };
  }
  if (second !== undefined) throw usageError(`unexpected argument '${second}'`);
  return { name: first, config };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        admin: { type: 'boolean', default: false },
        'password-stdin': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    const [reason] = error instanceof Error ? error.message.split('. ') : [String(error)];
    throw usageError(reason ?? '');
  }
}

function usageError(reason: string): StartupError {
  return new StartupError(`${reason}; see keyhole --help`);
}
