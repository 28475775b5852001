// Media of other servers: between two that run, and from one that does what it likes.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { TestClient } from '../client.ts';
import { PIXEL } from '../spec/world.ts';
import { TEST_CA } from '../tls/fixtures.ts';
import { HostileServer, Refusal } from './hostile-server.ts';
import { useNetwork } from './scene.ts';

const MAX_BYTES = 200_000;
/** A loopback address at which somebody listens to whom nobody may go. */
const DENIED = '127.0.0.2';

const scene = useNetwork({
  servers: 2,
  direct: true,
  config: {
    limits: { max_upload_bytes: MAX_BYTES },
    media: { allow_unauthenticated: true },
    outbound: { trusted_ca_path: TEST_CA, denied_networks: [`${DENIED}/32`] },
  },
});

/** Of a path below `/_matrix/`. */
function get(client: TestClient, path: string): Promise<Response> {
  const headers = { authorization: `Bearer ${client.token}` };
  return fetch(`${client.baseUrl}/_matrix/${path}`, { headers });
}

const download = (client: TestClient, uri: string, query = '') =>
  get(client, `client/v1/media/download/${uri.replace('mxc://', '')}${query}`);

const thumbnail = (client: TestClient, uri: string, query = 'width=1&height=1') =>
  get(client, `client/v1/media/thumbnail/${uri.replace('mxc://', '')}?${query}`);

async function assertRefused(answer: Promise<Response>, status: number, errcode: string) {
  const got = await answer;
  const body = (await got.json()) as { errcode: string };
  assert.deepEqual([got.status, body.errcode], [status, errcode]);
}

async function bytesOf(answer: Promise<Response>): Promise<Buffer> {
  const got = await answer;
  assert.equal(got.status, 200, await got.clone().text());
  return Buffer.from(await got.arrayBuffer());
}

async function upload(client: TestClient, body: Uint8Array, type: string, name = '') {
  const query = name === '' ? '' : `?filename=${encodeURIComponent(name)}`;
  const headers = { authorization: `Bearer ${client.token}`, 'content-type': type };
  const url = `${client.baseUrl}/_matrix/media/v3/upload${query}`;
  const answer = await fetch(url, { method: 'POST', headers, body: Buffer.from(body) });
  return ((await answer.json()) as { content_uri: string }).content_uri;
}

async function users(): Promise<[TestClient, TestClient]> {
  const { network } = scene();
  counter += 1;
  return [await network.server(0).user(`m${counter}`), await network.server(1).user(`m${counter}`)];
}
let counter = 0;

test('media is downloaded from its server, under its name and others, and kept here', async () => {
  const [alice, bob] = await users();
  const content = Buffer.from(Array.from({ length: 100_000 }, (_, n) => n % 251));
  const uri = await upload(alice, content, 'application/pdf', 'caf\u00e9.pdf');
  await assertRefused(
    get(bob, `media/v3/download/${uri.slice(6)}?allow_remote=false`),
    404,
    'M_NOT_FOUND',
  );
  const answer = await download(bob, uri);
  assert.equal(answer.headers.get('content-type'), 'application/pdf');
  assert.equal(
    answer.headers.get('content-disposition'),
    "attachment; filename*=utf-8''caf%C3%A9.pdf",
  );
  assert.ok(content.equals(Buffer.from(await answer.arrayBuffer())));
  const renamed = await download(bob, `${uri}/other.pdf`);
  assert.equal(renamed.headers.get('content-disposition'), 'attachment; filename=other.pdf');
  await renamed.arrayBuffer();
  await scene().network.server(0).stop();
  try {
    assert.ok(content.equals(await bytesOf(download(bob, uri))));
    const old = get(bob, `media/v3/download/${uri.slice(6)}?allow_remote=false`);
    assert.ok(content.equals(await bytesOf(old)));
    await assertRefused(download(bob, `${uri}x`), 502, 'M_UNKNOWN');
  } finally {
    await scene().network.server(0).start();
  }
});

test('what is not there is not found, and what is not there yet is waited for', async () => {
  const [alice, bob] = await users();
  const { name } = scene().network.server(0);
  await assertRefused(download(bob, `mxc://${name}/nothing`), 404, 'M_NOT_FOUND');
  await assertRefused(thumbnail(bob, `mxc://${name}/nothing`), 404, 'M_NOT_FOUND');
  const created = await fetch(`${alice.baseUrl}/_matrix/media/v1/create`, {
    method: 'POST',
    headers: { authorization: `Bearer ${alice.token}` },
  });
  const { content_uri: uri } = (await created.json()) as { content_uri: string };
  await assertRefused(download(bob, uri, '?timeout_ms=0'), 504, 'M_NOT_YET_UPLOADED');
  await assertRefused(
    thumbnail(bob, uri, 'width=1&height=1&timeout_ms=10'),
    504,
    'M_NOT_YET_UPLOADED',
  );
  const waiting = bytesOf(download(bob, uri, '?timeout_ms=30000'));
  const put = `${alice.baseUrl}/_matrix/media/v3/upload/${uri.slice(6)}`;
  const headers = { authorization: `Bearer ${alice.token}`, 'content-type': 'text/plain' };
  assert.equal((await fetch(put, { method: 'PUT', headers, body: 'late' })).status, 200);
  assert.equal(String(await waiting), 'late');
});

test('thumbnails are made here of images, and of nothing else', async () => {
  const [alice, bob] = await users();
  const image = await upload(alice, PIXEL, 'image/png');
  const answer = await thumbnail(bob, image);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'image/png');
  assert.match(answer.headers.get('content-disposition') ?? '', /^inline/);
  await answer.arrayBuffer();
  const text = await upload(alice, Buffer.from('no image'), 'image/png');
  await assertRefused(thumbnail(bob, text), 400, 'M_UNKNOWN');
});

test('of what is no image here, the server that has it may make a thumbnail, if it is one', async (t) => {
  const [bob] = await users();
  let theirs: Uint8Array | string = 'no image, either';
  const { uri, server } = await hostileFile(t, (response) => {
    response.writeHead(200, MIXED);
    const isThumbnail = response.req.url?.includes('/thumbnail/') === true;
    response.write(head(`Content-Type: ${isThumbnail ? 'text/html' : 'video/mp4'}`));
    response.write(isThumbnail ? theirs : 'a film');
    response.end(TAIL);
  });
  await assertRefused(thumbnail(bob, uri), 400, 'M_UNKNOWN');
  theirs = PIXEL;
  await assertRefused(
    get(bob, `media/v3/thumbnail/${uri.slice(6)}?width=1&height=1&allow_remote=false`),
    400,
    'M_UNKNOWN',
  );
  for (let n = 0; n < 2; n++) {
    const answer = await thumbnail(bob, uri);
    assert.equal(answer.headers.get('content-type'), 'image/png');
    assert.ok(Buffer.from(PIXEL).equals(Buffer.from(await answer.arrayBuffer())));
  }
  const asked = server.askedFor(/thumbnail/);
  assert.equal(asked.length, 2);
  assert.match(String(asked[0]?.query), /^width=32&height=32&method=scale&animated=false/);
  assert.equal(server.askedFor(/download/).length, 1);
});

test('servers get our own media alone, and only when they sign', async (t) => {
  const [alice, bob] = await users();
  const hostile = await HostileServer.start();
  t.after(() => hostile.close());
  const [first, second] = [scene().network.server(0).name, scene().network.server(1).name];
  const uri = await upload(alice, Buffer.from('ours'), 'text/plain');
  await bytesOf(download(bob, uri));
  const path = `/_matrix/federation/v1/media/download/${uri.split('/').at(-1)}`;
  const ours = await hostile.request(first, 'GET', path);
  assert.equal(ours.status, 200);
  assert.match(ours.body, /Content-Type: text\/plain\r\nContent-Disposition: .*\r\n\r\nours\r\n--/);
  const theirs = await hostile.request(second, 'GET', path);
  assert.deepEqual([theirs.status, theirs.body.errcode], [404, 'M_NOT_FOUND']);
  const unsigned = await hostile.request(first, 'GET', path, undefined, { origin: second });
  assert.deepEqual([unsigned.status, unsigned.body.errcode], [401, 'M_UNAUTHORIZED']);
});

/** A file named `x` of the hostile server, given by `answer`. */
async function hostileFile(
  t: { after(end: () => Promise<void>): void },
  answer: (response: ServerResponse, server: HostileServer) => void,
  path = /\/media\//,
): Promise<{ server: HostileServer; uri: string }> {
  const server = await HostileServer.start();
  t.after(() => server.close());
  server.on(path, (_asked, response) => {
    answer(response, server);
    return undefined;
  });
  return { server, uri: `mxc://${server.name}/x` };
}

const MIXED = { 'content-type': 'multipart/mixed; boundary=b' };
const head = (...headers: string[]) =>
  ['--b', 'Content-Type: application/json', '', '{}', '--b', ...headers, '', ''].join('\r\n');
const TAIL = '\r\n--b--\r\n';

test('an endless file is given up, and so is one that says it is too large', async (t) => {
  const [bob] = await users();
  let isGone = Promise.withResolvers<void>();
  const pour = (response: ServerResponse) => {
    const more = () => {
      while (response.write('x'.repeat(10_000)) && !response.destroyed);
    };
    response.on('drain', more).on('close', () => isGone.resolve());
    more();
  };
  for (const begin of [head(), '--b\r\n\r\n', '']) {
    isGone = Promise.withResolvers<void>();
    const { uri } = await hostileFile(t, (response) => {
      response.writeHead(200, MIXED);
      response.write(begin);
      pour(response);
    });
    const [status, errcode] = begin === head() ? [502, 'M_TOO_LARGE'] : [502, 'M_UNKNOWN'];
    await assertRefused(download(bob, uri), status as number, errcode as string);
    await isGone.promise;
  }
  const lying = await hostileFile(t, (response, { name }) => {
    if (response.req.url?.includes('/federation/')) {
      response.writeHead(200, MIXED);
      response.end(head(`Location: https://${name}/media/elsewhere`) + TAIL);
    } else response.writeHead(200, { 'content-length': MAX_BYTES + 1 }).write('x');
  });
  await assertRefused(download(bob, lying.uri), 502, 'M_TOO_LARGE');
  await assertRefused(thumbnail(bob, lying.uri), 502, 'M_TOO_LARGE');
});

test('what does not come whole is not kept', async (t) => {
  const [bob] = await users();
  const bodies: readonly ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(200, MIXED).end(`${head()}half`),
    (response) => response.writeHead(200, MIXED).end(`${head()}half\r\n--c--`),
    (response) => response.writeHead(200, MIXED).end(`${head()}half\r\n--b\r\n\r\nmore${TAIL}`),
    (response) => response.writeHead(200, MIXED).end(''),
    (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('half'),
    (response) =>
      response.writeHead(200, { ...MIXED, 'content-encoding': 'gzip' }).end(`${head()}half${TAIL}`),
    (response) => {
      response.writeHead(200, { ...MIXED, 'content-length': 1000 });
      response.write(`${head()}half${TAIL}`, () => response.destroy());
    },
    (response) => {
      response.writeHead(200, MIXED);
      response.write(`${head()}half`, () => response.destroy());
    },
    (response) => response.writeHead(302, { location: '/media/other' }).end(),
    (response) => response.writeHead(500).end(),
  ];
  let next = 0;
  const { uri } = await hostileFile(t, (response) => {
    const give = bodies[next++];
    if (give !== undefined) give(response);
    else response.writeHead(200, MIXED).end(`${head('Content-Type: text/plain')}whole${TAIL}`);
  });
  for (let n = 0; n < bodies.length; n++) {
    await assertRefused(download(bob, uri), 502, 'M_UNKNOWN');
    await assertRefused(
      get(bob, `media/v3/download/${uri.slice(6)}?allow_remote=false`),
      404,
      'M_NOT_FOUND',
    );
  }
  assert.equal(String(await bytesOf(download(bob, uri))), 'whole');
});

test('many who ask at once cost one request', async (t) => {
  const [bob] = await users();
  const responses: ServerResponse[] = [];
  const asked = Promise.withResolvers<void>();
  const { uri, server } = await hostileFile(t, (response) => {
    responses.push(response);
    asked.resolve();
  });
  const requests = Array.from({ length: 5 }, () => bytesOf(download(bob, uri)));
  await asked.promise;
  responses[0]?.writeHead(200, MIXED).end(`${head()}once${TAIL}`);
  for (const request of requests) assert.equal(String(await request), 'once');
  assert.equal(server.asked.filter(({ path }) => path.includes('/media/')).length, 1);
});

test('a file that lies elsewhere is fetched from there, but not from everywhere', async (t) => {
  const [bob] = await users();
  let location = '';
  const { uri, server } = await hostileFile(
    t,
    (response) => response.writeHead(200, MIXED).end(head(`Location: ${location}`) + TAIL),
    /federation\/v1\/media/,
  );
  const elsewhere = await HostileServer.start();
  t.after(() => elsewhere.close());
  elsewhere.on(/^\/file$/, (_asked, response) => {
    const headers = {
      'content-type': 'image/png',
      'content-disposition': 'inline; filename=a.png',
    };
    response.writeHead(200, headers).end('elsewhere');
    return undefined;
  });
  const loop = `https://${elsewhere.name}/loop`;
  elsewhere.on(/^\/loop$/, (_asked, response) => {
    response.writeHead(307, { location: loop }).end();
    return undefined;
  });
  elsewhere.on(/^\/denied$/, (_asked, response) => {
    const port = elsewhere.name.split(':')[1];
    response.writeHead(307, { location: `https://${DENIED}:${port}/file` }).end();
    return undefined;
  });
  const port = elsewhere.name.split(':')[1];
  for (location of [
    `https://${DENIED}:${port}/file`,
    `https://[::ffff:${DENIED}]:${port}/file`,
    `https://${elsewhere.name}/denied`,
    loop,
    `http://${elsewhere.name}/file`,
    '/file',
    'file:///etc/passwd',
    'https://',
  ]) {
    await assertRefused(download(bob, uri), 502, 'M_UNKNOWN');
  }
  assert.equal(elsewhere.askedFor(/^\/file$/).length, 0);
  location = `https://${elsewhere.name}/missing`;
  await assertRefused(download(bob, uri), 404, 'M_NOT_FOUND');
  location = `https://${elsewhere.name}/file`;
  const answer = await download(bob, uri);
  assert.equal(answer.headers.get('content-type'), 'image/png');
  assert.equal(answer.headers.get('content-disposition'), 'inline; filename=a.png');
  assert.equal(await answer.text(), 'elsewhere');
  assert.ok(elsewhere.asked.every(({ authorization }) => authorization === undefined));
  assert.ok(server.askedFor(/federation/).every(({ authorization }) => authorization));
});

test('what a browser would run comes as an attachment, and nonsense as bytes', async (t) => {
  const [bob] = await users();
  const types = ['text/html', 'image/svg+xml', 'text/html\u00e9', 'nonsense', ''];
  for (const type of types) {
    const lines = [`Content-Type: ${type}`, 'Content-Disposition: inline; filename="a.html"'];
    const { uri } = await hostileFile(t, (response) =>
      response.writeHead(200, MIXED).end(`${head(...lines)}<script>${TAIL}`),
    );
    const { headers, body } = await download(bob, uri);
    await body?.cancel();
    const isType = types.indexOf(type) < 2;
    assert.equal(headers.get('content-type'), isType ? type : 'application/octet-stream');
    assert.equal(headers.get('content-disposition'), 'attachment; filename=a.html');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.match(headers.get('content-security-policy') ?? '', /^sandbox; default-src 'none'/);
  }
});

test('servers without the signed endpoint are asked by the old one, others are not', async (t) => {
  const [bob] = await users();
  const { uri, server } = await hostileFile(
    t,
    (response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('old'),
    /^\/_matrix\/media\/v3\//,
  );
  const off = server.on(/federation\/v1\/media/, () => {
    throw new Refusal(404, { errcode: 'M_NOT_FOUND', error: 'no' });
  });
  await assertRefused(download(bob, uri), 404, 'M_NOT_FOUND');
  assert.equal(server.askedFor(/^\/_matrix\/media/).length, 0);
  off();
  const answer = await download(bob, uri, '?timeout_ms=7000');
  assert.equal(answer.headers.get('content-type'), 'text/plain');
  assert.equal(await answer.text(), 'old');
  const [old] = server.askedFor(/^\/_matrix\/media/);
  assert.equal(old?.path, `/_matrix/media/v3/download/${encodeURIComponent(server.name)}/x`);
  assert.equal(String(old?.query), 'timeout_ms=7000&allow_remote=false');
  assert.equal(old?.authorization, undefined);
});

test("a server's refusals are told as the specification has them", async (t) => {
  const [bob] = await users();
  const cases: readonly [Refusal, number, string][] = [
    [new Refusal(504, { errcode: 'M_NOT_YET_UPLOADED' }), 504, 'M_NOT_YET_UPLOADED'],
    [new Refusal(502, { errcode: 'M_TOO_LARGE' }), 502, 'M_TOO_LARGE'],
    [new Refusal(429, { errcode: 'M_LIMIT_EXCEEDED' }), 429, 'M_LIMIT_EXCEEDED'],
    [new Refusal(403, { errcode: 'M_FORBIDDEN' }), 502, 'M_UNKNOWN'],
    [new Refusal(404, {}), 404, 'M_NOT_FOUND'],
  ];
  for (const [refusal, status, errcode] of cases) {
    const server = await HostileServer.start();
    t.after(() => server.close());
    server.on(/media/, () => {
      throw refusal;
    });
    await assertRefused(download(bob, `mxc://${server.name}/x`), status, errcode);
    await assertRefused(thumbnail(bob, `mxc://${server.name}/x`), status, errcode);
  }
});
