// Keyhole as a process: how it starts, refuses to start, and stops.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../server-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = join(root, 'bin', 'keyhole');

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Resolves once the output matches; fails when the process ends before. */
  until(pattern: RegExp): Promise<void>;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

interface RunOptions {
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly command?: string;
}

function run(t: TestContext, args: readonly string[], options: RunOptions): Run {
  const child = spawn(options.command ?? bin, args, {
    cwd: options.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  t.after(() => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }));
  const output = () => stdout + stderr;
  return {
    child,
    output,
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => pattern.test(output()) && resolve();
        child.stdout.on('data', look);
        child.stderr.on('data', look);
        child.on('close', () => reject(new Error(`ended before ${pattern}: ${output()}`)));
        look();
      }),
  };
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyhole-startup-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const onPort = (port: number) => ({ KEYHOLE_LISTENERS__0__PORT: String(port) });

test('a local trial starts without configuration, says what to do next, and ends on SIGTERM with 0', async (t) => {
  const folder = temporaryFolder(t);
  const port = await freePort();
  const server = run(t, [], { folder, env: onPort(port) });
  await server.until(/accounts .*\n/);
  for (const hint of ['http://localhost:8008', `127.0.0.1:${port}`, './data/', 'register']) {
    assert.ok(server.output().includes(hint), hint);
  }
  const response = await fetch(`http://127.0.0.1:${port}/_matrix/client/versions`);
  assert.equal(response.status, 200);
  const keyFile = join(folder, 'data', 'signing.key');
  for (const file of ['', 'signing.key', 'keyhole.db', 'keyhole.db-wal', 'media']) {
    const forOthers = statSync(join(folder, 'data', file)).mode & 0o077;
    assert.equal(forOthers, 0, `others may use data/${file}`);
  }
  const key = readFileSync(keyFile, 'utf8');
  server.child.kill('SIGTERM');
  const { code, stderr } = await server.ended;
  assert.deepEqual([code, stderr], [0, '']);

  const again = run(t, [], { folder, env: onPort(port) });
  await again.until(/accounts .*\n/);
  assert.equal(readFileSync(keyFile, 'utf8'), key);
  again.child.kill('SIGINT');
  assert.equal((await again.ended).code, 0);
});

test('npm start serves, and a signal to npm reaches the server', async (t) => {
  const folder = temporaryFolder(t);
  const env = {
    ...onPort(await freePort()),
    KEYHOLE_DATABASE__PATH: join(folder, 'keyhole.db'),
    KEYHOLE_MEDIA_PATH: join(folder, 'media'),
    KEYHOLE_SIGNING_KEY_PATH: join(folder, 'signing.key'),
  };
  const npm = run(t, ['start'], { folder: root, env, command: 'npm' });
  await npm.until(/accounts .*\n/);
  npm.child.kill('SIGTERM');
  const { stdout } = await npm.ended;
  assert.match(stdout, /stopping/);
});

test('by way of a link, and a signal reaches the server all the same', async (t) => {
  const folder = temporaryFolder(t);
  const link = join(folder, 'link');
  symlinkSync(bin, link);
  const server = run(t, ['serve'], { folder, env: onPort(await freePort()), command: link });
  await server.until(/accounts .*\n/);
  server.child.kill('SIGTERM');
  assert.equal((await server.ended).code, 0);
});

test('a second process on the same data is refused in one line', async (t) => {
  const folder = temporaryFolder(t);
  const first = run(t, [], { folder, env: onPort(await freePort()) });
  await first.until(/accounts .*\n/);
  const second = await run(t, [], { folder, env: onPort(await freePort()) }).ended;
  assert.equal(second.code, 2);
  assert.match(second.stderr, /^keyhole: .*data.* in use by another process.*\n$/);
  first.child.kill('SIGKILL');
  await first.ended;
  const third = run(t, [], { folder, env: onPort(await freePort()) });
  await third.until(/accounts .*\n/);
});

test('a port in use is one line that names the listener', async (t) => {
  const folder = temporaryFolder(t);
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { code, stderr } = await run(t, [], { folder, env: onPort(port) }).ended;
  assert.equal(code, 2);
  const line = `keyhole: listeners: cannot listen on 127.0.0.1:${port}, the port is in use`;
  assert.ok(stderr.startsWith(line), stderr);
  assert.equal(stderr.split('\n').length, 2);
});

test('a wrong configuration is one line, and so is a wrong argument', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'k.yaml'), 'server_name: a.org\npeeking:\n  lifetime_ms: soon\n');
  writeFileSync(
    join(folder, 'tls.yaml'),
    'server_name: a\nlisteners:\n- {port: 0, tls: true, tls_cert_path: c, tls_key_path: k}',
  );
  writeFileSync(join(folder, 'key.yaml'), 'server_name: a\nsigning_key_path: k.yaml');
  writeFileSync(join(folder, 'data.yaml'), 'server_name: a\ndatabase: {path: k.yaml/a.db}');
  writeFileSync(
    join(folder, 'postgres.yaml'),
    'server_name: a\ndatabase: {engine: postgres, url: "postgres://a@127.0.0.1:1/a"}',
  );
  writeFileSync(join(folder, 'media.yaml'), 'server_name: a\nmedia_path: k.yaml');
  for (const [args, line] of [
    [
      ['--config', 'k.yaml'],
      /^keyhole: k\.yaml:3: 'peeking\.lifetime_ms' is "soon", but wants a whole n/,
    ],
    [['--config', 'none.yaml'], /^keyhole: none\.yaml: .*there is no such file/],
    [['--config', 'tls.yaml'], /^keyhole: tls_cert_path: ENOENT/],
    [['--config', 'key.yaml'], /^keyhole: signing_key_path: k\.yaml: a signing key is a line/],
    [['--config', 'data.yaml'], /^keyhole: database\.path: EEXIST: .*mkdir 'k\.yaml'/],
    [['--config', 'postgres.yaml'], /^keyhole: database\.url: .*ECONNREFUSED.*: nothing listens/],
    [['--config', 'media.yaml'], /^keyhole: media_path: ENOTDIR/],
    [['--config'], /^keyhole: Option '--config <value>' argument missing; see keyhole --help/],
    [['--frob'], /^keyhole: Unknown option '--frob'; see/],
    [['frob'], /^keyhole: unknown command 'frob'; see/],
    [['serve', 'x'], /^keyhole: unexpected argument 'x'; see/],
    [['--admin'], /^keyhole: --admin and --password-stdin belong to "user create"/],
    [['user', 'create'], /^keyhole: it is "keyhole user create NAME"/],
    [['log', 'x'], /^keyhole: unexpected argument 'x'; see/],
    [['peeks', 'x'], /^keyhole: unexpected argument 'x'; see/],
  ] as const) {
    const { code, stderr, stdout } = await run(t, args, { folder }).ended;
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, line);
    assert.equal(stderr.split('\n').length, 2, stderr);
  }
});

test('--help and --version', async (t) => {
  const folder = temporaryFolder(t);
  const help = await run(t, ['--help'], { folder }).ended;
  assert.match(help.stdout, /^Usage: keyhole/);
  assert.equal(help.code, 0);
  const { stdout } = await run(t, ['--version'], { folder }).ended;
  assert.match(stdout, /^keyhole \d+\.\d+\.\d+\n$/);
});

test('accounts are made, and parked keys retried, while the server is stopped', async (t) => {
  const folder = temporaryFolder(t);
  const made = await run(t, ['user', 'create', 'alice', '--admin'], { folder }).ended;
  assert.match(made.stdout, /^@alice:localhost\npassword: .{16}\n$/);
  const taken = await run(t, ['user', 'create', 'alice'], { folder }).ended;
  assert.deepEqual([taken.code, taken.stdout], [2, '']);
  assert.match(taken.stderr, /^keyhole: M_USER_IN_USE: /);
  const tls = 'listeners: [{port: 0, tls: true, tls_cert_path: none, tls_key_path: none}]';
  writeFileSync(join(folder, 'tls.yaml'), `server_name: localhost\n${tls}`);
  const other = await run(t, ['user', 'create', 'bob', '--config', 'tls.yaml'], { folder }).ended;
  assert.deepEqual([other.code, other.stderr], [0, ''], 'certificates were asked for');

  const database = new DatabaseSync(join(folder, 'data', 'keyhole.db'));
  t.after(() => database.close());
  const receipt = { v: 1, userId: '@alice:localhost', eventId: '$none', type: 'm.read', ts: 1 };
  const park = database.prepare(`INSERT INTO eventlog_parked
    SELECT consumer, topic, ?, 1, 1, 'Error: full', ? FROM eventlog_consumers
    WHERE topic = ? AND consumer = 'syncserver'`);
  park.run('!room:localhost', JSON.stringify(receipt), 'edu.receipt');
  park.run('!broken:localhost', '{"v":1,"kind":"NewRoomEvent"}', 'roomserver.output');

  const list = await run(t, ['log'], { folder }).ended;
  assert.match(list.stdout, /^syncserver edu\.receipt !room:localhost is parked: Error: full$/m);
  assert.equal(list.stdout.trim().split('\n').length, 2);
  assert.equal(list.code, 1);
  const first = await run(t, ['log', 'retry'], { folder }).ended;
  assert.match(first.stdout, /^syncserver edu\.receipt !room:localhost goes on$/m);
  assert.match(first.stdout, /^syncserver roomserver\.output !broken:localhost is still parked: /m);
  assert.equal(first.code, 1);
  database.exec("DELETE FROM eventlog_parked WHERE key = '!broken:localhost'");
  assert.deepEqual(await run(t, ['log', 'retry'], { folder }).ended, {
    code: 0,
    stdout: '',
    stderr: '',
  });
});

test('looks across servers of a database that is not there are one line', async (t) => {
  const { code, stdout, stderr } = await run(t, ['peeks'], { folder: temporaryFolder(t) }).ended;
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^keyhole: the database cannot be read \(.*\): has this version .*\?\n$/);
});

test('a second signal ends the process at once', async (t) => {
  const folder = temporaryFolder(t);
  const port = await freePort();
  const server = run(t, [], { folder, env: onPort(port) });
  await server.until(/accounts .*\n/);
  const unfinished = connect(port, '127.0.0.1');
  t.after(() => unfinished.destroy());
  unfinished.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: a\r\n');
  await fetch(`http://127.0.0.1:${port}/_matrix/client/versions`);
  server.child.kill('SIGTERM');
  await server.until(/stopping/);
  server.child.kill('SIGTERM');
  assert.equal((await server.ended).code, 1);
});
