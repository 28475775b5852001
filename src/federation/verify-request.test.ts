import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import { ManualClock } from '../clock.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import { parseForeignJson } from '../protocol/json-checks.ts';
import { generateSigningKey } from '../protocol/signing-key.ts';
import type { KeyRequest } from './api.ts';
import { type ReceivedRequest, verifyServerRequest } from './verify-request.ts';
import { parseXMatrixHeader, xMatrixHeader } from './x-matrix.ts';

const HERE = 'here.example' as ServerName;
const THERE = 'there.example:8448' as ServerName;
const key = generateSigningKey();
const uri = '/_matrix/federation/v1/send/1?a=%2F&b=';

function verifier() {
  const asked: KeyRequest[] = [];
  const clock = new ManualClock();
  const keyRing = {
    key: async (request: KeyRequest) => {
      asked.push(request);
      const isKnown = request.server === THERE && request.keyId === key.keyId;
      return isKnown ? createPublicKey(key.privateKey) : undefined;
    },
  };
  return { serverName: HERE, keyRing, clock, asked };
}

function signed(content?: string): ReceivedRequest {
  const body = content === undefined ? undefined : parseForeignJson(content);
  const request = { method: 'PUT', uri, origin: THERE, destination: HERE, content: body };
  return { authorization: [xMatrixHeader(request, key)], method: 'PUT', uri, body };
}

const refused = (reason: RegExp) => ({ errcode: 'M_UNAUTHORIZED', message: reason });

test('a signed request has its origin, with and without a body, floats and large numbers in it', async () => {
  for (const body of [undefined, '{}', '{"a":1.0,"b":9223372036854775807,"é":[-0,1e5]}']) {
    const { asked, ...rest } = verifier();
    assert.equal(await verifyServerRequest(signed(body), rest), THERE);
    const validAt = rest.clock.now();
    assert.deepEqual(asked, [{ server: THERE, keyId: key.keyId, validAt }]);
  }
});

test('whatever is signed cannot be changed', async () => {
  const changes: Partial<ReceivedRequest>[] = [
    { method: 'POST' },
    { uri: uri.replace('%2F', '/') },
    { body: { a: 2 } },
    { body: undefined },
  ];
  for (const change of changes) {
    const changed = { ...signed('{"a":1}'), ...change };
    await assert.rejects(verifyServerRequest(changed, verifier()), refused(/no valid signature/));
  }
});

test('the destination may be left out, but is no other than this server', async () => {
  const request = signed();
  const header = request.authorization[0] ?? '';
  const without = { ...request, authorization: [header.replace(`destination="${HERE}",`, '')] };
  assert.equal(await verifyServerRequest(without, verifier()), THERE);
  for (const other of ['other.example', 'HERE.example', '']) {
    const changed = { ...request, authorization: [header.replace(`"${HERE}"`, `"${other}"`)] };
    await assert.rejects(verifyServerRequest(changed, verifier()), refused(/another server/));
  }
});

test('one valid signature of several is enough, of one origin', async () => {
  const [header = ''] = signed().authorization;
  const unknown = header.replace(key.keyId, 'ed25519:unknown');
  const broken = header.replace(/sig="[^"]*"/, 'sig="AAAA"');
  const many = { ...signed(), authorization: ['Bearer abc', unknown, broken, header] };
  assert.equal(await verifyServerRequest(many, verifier()), THERE);
  const foreign = header.replace(THERE, 'evil.example');
  for (const [authorization, reason] of [
    [[], /not signed/],
    [['Bearer abc', 'X-MatrixX origin=a'], /not signed/],
    [[unknown, broken], /no valid signature/],
    [[header, foreign], /several origins/],
    [Array(6).fill(header), /too many/],
    [[header, 'X-Matrix'], /malformed/],
  ] as const) {
    const request = { ...signed(), authorization };
    await assert.rejects(verifyServerRequest(request, verifier()), refused(reason));
  }
});

test('an origin that is no server name is no proper request', async () => {
  const [header = ''] = signed().authorization;
  for (const origin of ['a b', '-:0', 'there.example:https']) {
    const request = { ...signed(), authorization: [header.replace(THERE, origin)] };
    const errcode = 'M_INVALID_PARAM';
    await assert.rejects(verifyServerRequest(request, verifier()), { errcode });
  }
});

test('the header as the grammar of RFC 9110 allows it, and as older servers write it', () => {
  const values = { origin: 'a.example:1', destination: 'b', key: 'ed25519:1', sig: 'AA/+' };
  for (const header of [
    'X-Matrix origin="a.example:1",destination="b",key="ed25519:1",sig="AA/+"',
    'x-matrix   SIG="AA/+" \t,\tKey=ed25519:1 , Destination=b,origin=a.example:1',
    'X-Matrix origin=a.example:1,destination=b,key="ed25519\\:1",sig="\\A\\A/+"',
    'X-Matrix ,origin=a.example:1,, destination = "b", key= "ed25519:1",sig ="AA/+",',
    'X-Matrix origin="a.example:1",destination="b",key="ed25519:1",sig="AA/+",new="x,\\"y=z",z=1',
  ]) {
    assert.deepEqual(parseXMatrixHeader(header), values, header);
  }
  const { destination, ...rest } = values;
  assert.deepEqual(parseXMatrixHeader('X-Matrix origin="a.example:1",key=ed25519:1,sig="AA/+"'), {
    ...rest,
    destination: undefined,
  });
});

test('headers outside the grammar are none', () => {
  const good = 'origin="a",destination="b",key="c",sig="d"';
  for (const header of [
    '',
    'X-Matrix',
    'X-Matrix ',
    `X-Matrix\t${good}`,
    `X-Matrix:${good}`,
    `X-Matrix ${good} e=f`,
    `X-Matrix ${good};e=f`,
    `X-Matrix ${good},`.replace('sig', 'signature'),
    `X-Matrix ${good},Origin="a"`,
    `X-Matrix ${good},e`,
    `X-Matrix ${good},e=`,
    `X-Matrix ${good},e="`,
    `X-Matrix ${good},e="\\"`,
    `X-Matrix ${good},e=a/b`,
    `X-Matrix ${good},e="a"b`,
    `X-Matrix ${good},e="\u0000"`,
    `X-Matrix ${good}\n`,
  ]) {
    assert.equal(parseXMatrixHeader(header), undefined, JSON.stringify(header));
  }
});
