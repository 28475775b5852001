// Passwords and tokens are nowhere to be found: not in the data folder, not in what is logged at any level.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Json, register, request, type TestClient } from '../client.ts';
import { type ServerProcess, startServer } from '../server-process.ts';

const SHARED_SECRET = 'the shared secret of registration';

test('secrets are neither stored nor logged', async () => {
  const server = await startServer({
    log_level: 'debug',
    registration: { enabled: true, allow_guests: true, shared_secret: SHARED_SECRET },
  });
  try {
    const secrets = await useSecrets(server);
    assert.ok(secrets.length > 10 && secrets.every((secret) => secret.length > 10));
    await server.stop();
    for (const [name, bytes] of filesIn(server.folder)) {
      for (const secret of secrets) assert.ok(!bytes.includes(secret), `${secret} is in ${name}`);
    }
    for (const secret of secrets)
      assert.ok(!server.output().includes(secret), `${secret} is logged`);
  } finally {
    await server.remove();
  }
});

test('by default requests leave no line, be they refused or not', async () => {
  const server = await startServer();
  try {
    const alice = await register(server.baseUrl, 'alice');
    const before = server.output();
    const room = await alice.createRoom();
    await alice.send(room, 'hello');
    await alice.sync();
    await alice.call('GET', '/v3/nonsense');
    await alice.call('PUT', `/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/1`, []);
    await request(server.baseUrl, 'GET', '/v3/sync', undefined, 'no token');
    assert.equal(server.output(), before);
  } finally {
    await server.remove();
  }
});

/** Uses every kind of secret in every way, also wrongly; returns them. */
async function useSecrets(server: ServerProcess): Promise<string[]> {
  const { baseUrl } = server;
  const secrets: string[] = [];
  const alice = await register(baseUrl, 'alice');
  let password = 'secret of alice';
  secrets.push(alice.token, password, SHARED_SECRET);
  const proof = () => ({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'alice' },
    password,
  });

  await inQuery(alice, `?access_token=${alice.token}`);
  await inQuery(alice, `?access_token=${alice.token}&access_token=${alice.token}`);
  await request(baseUrl, 'GET', '/v3/sync', undefined, alice.token.slice(0, -1));
  await request(baseUrl, 'GET', `/v3/unknown/${alice.token}`);

  const { body: session } = await request(baseUrl, 'POST', '/v3/login', {
    ...proof(),
    refresh_token: true,
  });
  secrets.push(session.access_token, session.refresh_token);
  const refresh = { refresh_token: session.refresh_token };
  const { body: refreshed } = await request(baseUrl, 'POST', '/v3/refresh', refresh);
  secrets.push(refreshed.access_token, refreshed.refresh_token);
  await request(baseUrl, 'GET', '/v3/account/whoami', undefined, refreshed.access_token);
  await request(baseUrl, 'POST', '/v3/refresh', refresh);

  const { login_token: loginToken } = await withProof(alice, '/v1/login/get_token', proof());
  const byToken = { type: 'm.login.token', token: loginToken };
  const { body: third } = await request(baseUrl, 'POST', '/v3/login', byToken);
  await request(baseUrl, 'POST', '/v3/login', byToken);
  const openId = await alice.ok('POST', `/v3/user/${alice.userId}/openid/request_token`, {});
  secrets.push(loginToken, third.access_token, openId.access_token);

  const wrong = { ...proof(), password: 'a wrong password of alice' };
  await request(baseUrl, 'POST', '/v3/login', wrong);
  await withProof(alice, '/v3/account/password', wrong, { new_password: 'never set, never kept' });
  secrets.push('a wrong password of alice', 'never set, never kept');
  const change = { new_password: 'the new password of alice' };
  await withProof(alice, '/v3/account/password', proof(), change);
  password = change.new_password;
  secrets.push(password);

  const session2 = await request(baseUrl, 'POST', '/v3/register', {
    username: 'unfinished',
    password: 'of who never came back',
  });
  assert.equal(session2.status, 401);
  secrets.push('of who never came back');
  secrets.push(...(await byAdministrator(baseUrl)));
  return secrets;
}

async function inQuery(alice: TestClient, query: string): Promise<void> {
  await fetch(`${alice.baseUrl}/_matrix/client/v3/account/whoami${query}`);
}

async function withProof(client: TestClient, path: string, proof: Json, body: Json = {}) {
  const { body: challenge } = await client.call('POST', path, body);
  const auth = { ...proof, session: challenge.session };
  return (await client.call('POST', path, { ...body, auth })).body;
}

async function byAdministrator(baseUrl: string): Promise<string[]> {
  const url = `${baseUrl}/_synapse/admin/v1/register`;
  const { nonce } = (await (await fetch(url)).json()) as { nonce: string };
  const password = 'of the administrator';
  const parts = [nonce, 'admin', password, 'admin'];
  const mac = createHmac('sha1', SHARED_SECRET).update(parts.join('\0')).digest('hex');
  const body = JSON.stringify({ nonce, username: 'admin', password, admin: true, mac });
  const answer = await fetch(url, { method: 'POST', body });
  assert.equal(answer.status, 200);
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return [password, token, mac];
}

function filesIn(folder: string): [string, Buffer][] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== 'keyhole.yaml');
  assert.ok(files.some(({ name }) => name === 'keyhole.db'));
  return files.map(({ name, parentPath }) => [name, readFileSync(join(parentPath, name))]);
}
