// Runs a command with a throwaway PostgreSQL: `node scripts/with-postgres.ts node --test …`. The cluster listens on a
// free port of the loopback address, sorts text by language (so that a forgotten COLLATE "C" shows), and is removed
// at the end. KEYHOLE_TEST_POSTGRES_URL tells the command where it is.

import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KILLED_AFTER_MS = 5000;
const DEBIAN_VERSIONS = '/usr/lib/postgresql';

interface Cluster {
  readonly url: string;
  stop(): void;
}

/** PostgreSQL refuses to run as root. */
function run(program: string, args: readonly string[]): string {
  const asRoot = process.getuid?.() === 0;
  const [command, ...rest] = asRoot
    ? ['runuser', '-u', 'postgres', '--', program, ...args]
    : [program, ...args];
  return execFileSync(command as string, rest, { encoding: 'utf8', cwd: '/', stdio: 'pipe' });
}

function findBinaries(): string {
  const versions = existsSync(DEBIAN_VERSIONS) ? readdirSync(DEBIAN_VERSIONS) : [];
  const newest = versions.toSorted((a, b) => Number(b) - Number(a))[0];
  if (newest !== undefined) return join(DEBIAN_VERSIONS, newest, 'bin');
  return execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim();
}

/** Servers before 15 cannot, unless the machine has the locale installed: they sort by bytes. */
function sortingByLanguage(binaries: string): readonly string[] {
  const version = execFileSync(join(binaries, 'initdb'), ['--version'], { encoding: 'utf8' });
  const major = Number(/\d+/.exec(version)?.[0]);
  return major >= 15 ? ['--locale-provider=icu', '--icu-locale=en'] : [];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function startCluster(durable: boolean): Promise<Cluster> {
  const binaries = findBinaries();
  const folder = mkdtempSync(join(tmpdir(), 'keyhole-postgres-'));
  if (process.getuid?.() === 0) {
    chownSync(folder, Number(run('id', ['-u'])), Number(run('id', ['-g'])));
  }
  const data = join(folder, 'data');
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    run(join(binaries, 'initdb'), [
      ...['-D', data, '-U', 'keyhole', '--auth=trust', '--encoding=UTF8', '--no-sync'],
      ...['--locale=C.UTF-8', ...sortingByLanguage(binaries)],
    ]);
    const port = await freePort();
    const options = `-c listen_addresses=127.0.0.1 -c port=${port} -c unix_socket_directories=${folder}`;
    const sync = durable ? '' : ' -c fsync=off -c full_page_writes=off';
    const log = join(folder, 'log');
    run(join(binaries, 'pg_ctl'), ['-D', data, '-l', log, '-w', '-o', options + sync, 'start']);
    return {
      url: `postgres://keyhole@127.0.0.1:${port}/postgres`,
      stop: () => {
        run(join(binaries, 'pg_ctl'), ['-D', data, '-m', 'immediate', '-w', 'stop']);
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function runCommand(command: string, args: readonly string[], url: string): Promise<number> {
  const child = spawn(command, args, {
    stdio: 'inherit',
    env: { ...process.env, KEYHOLE_TEST_POSTGRES_URL: url },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      child.kill(signal);
      // A test that never yields does not hear a signal.
      setTimeout(() => child.kill('SIGKILL'), KILLED_AFTER_MS).unref();
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

const durable = process.argv[2] === '--durable';
const [command, ...args] = process.argv.slice(durable ? 3 : 2);
if (command === undefined) {
  console.error('usage: node scripts/with-postgres.ts [--durable] COMMAND [ARGUMENT …]');
  process.exit(2);
}
const cluster = await startCluster(durable);
try {
  process.exitCode = await runCommand(command, args, cluster.url);
} finally {
  cluster.stop();
}
