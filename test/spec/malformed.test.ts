// Requests that are wrong in one point, generated from each route's own schemas and sent with a valid token:
// refused with the errcode of their kind, changing nothing, and leaving the route in order.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Route } from '../../src/http/route.ts';
import {
  type Answer,
  bodyOf,
  type Call,
  fetchAnswer,
  headersOf,
  queryOf,
  rawPathOf,
} from './api-client.ts';
import { EXAMPLES } from './examples/all.ts';
import type { Example } from './examples/example.ts';
import { bodyFaults } from './malformed/body-faults.ts';
import type { MalformedRequest } from './malformed/malformed-request.ts';
import { pathFaults, queryFaults } from './malformed/parameter-faults.ts';
import { snapshot } from './malformed/snapshot.ts';
import { strayInput } from './malformed/stray-input.ts';
import { ROUTES } from './route-list.ts';
import { type SpecServer, startSpecServer } from './spec-server.ts';
import { World } from './world.ts';

const LEAST_REQUESTS = 50;
/** They take no input that could be wrong, and may be called but a few times by one user or session. */
const USED_UP_BY_SUCCESS = new Set(['logout', 'logout_all', 'createContent']);

const examples = new Map<string, Example>(
  Object.values(EXAMPLES).flatMap((topic) => Object.entries(topic)),
);

function suite(
  database: string,
  postgresUrl: string | undefined,
  options: { skip?: string },
): void {
  describe(`malformed requests on ${database}`, options, () => {
    let server: SpecServer;
    let world: World;

    before(async () => {
      server = await startSpecServer(postgresUrl);
      world = await World.create(server);
    });

    after(async () => {
      await server?.close();
    });

    for (const route of ROUTES) {
      test(route.operationId, async () => {
        await checkRoute(world, route);
        assert.deepEqual(server.complaints, []);
      });
    }
  });
}

suite('SQLite', undefined, {});
const url = process.env.KEYHOLE_TEST_POSTGRES_URL;
suite('PostgreSQL', url, url === undefined ? { skip: 'set KEYHOLE_TEST_POSTGRES_URL' } : {});

async function checkRoute(world: World, route: Route): Promise<void> {
  const { success } = examples.get(route.operationId) ?? {};
  assert.ok(success, 'there is an example');
  const good = await success(world);
  const requests = requestsFor(route, good);
  assert.ok(requests.length >= LEAST_REQUESTS, `${requests.length} requests`);
  const wrong = requests.filter((request) => request.errcodes !== undefined);
  const before = await snapshot(world);
  for (const request of wrong) await checkRefused(world, route, { good, request });
  assert.deepEqual(await snapshot(world), before, 'a refused request changed something');
  for (const request of requests.filter((one) => one.errcodes === undefined)) {
    const base = USED_UP_BY_SUCCESS.has(route.operationId) ? await success(world) : good;
    const answer = await send(world, route, { good: base, request });
    assert.ok(answer.status < 500, `${request.fault}: ${answer.status}`);
  }
  const answer = await world.call(route.operationId, await success(world));
  assert.equal(answer.status, 200, `afterwards: ${JSON.stringify(answer.body)}`);
}

function requestsFor(route: Route, good: Call): readonly MalformedRequest[] {
  const faults = [
    ...pathFaults(route, Object.keys(good.params ?? {})),
    ...queryFaults(route),
    ...bodyFaults(route, (good.body ?? {}) as Readonly<Record<string, unknown>>),
  ];
  return [...faults, ...strayInput(Math.max(0, LEAST_REQUESTS - faults.length))];
}

interface Attempt {
  readonly good: Call;
  readonly request: MalformedRequest;
}

async function checkRefused(world: World, route: Route, attempt: Attempt): Promise<void> {
  const { fault, errcodes } = attempt.request;
  const answer = await send(world, route, attempt);
  const { status, body } = answer;
  const said = `${fault}: ${status} ${JSON.stringify(body).slice(0, 200)}`;
  assert.ok(status >= 400 && status < 500, said);
  assert.ok(errcodes?.includes(body.errcode), `${said}, not ${errcodes?.join(' or ')}`);
  assert.equal(typeof body.error, 'string', said);
}

async function send(world: World, route: Route, { good, request }: Attempt): Promise<Answer> {
  const { body: _, ...bodiless } = good;
  const base = request.call.bytes === undefined ? good : bodiless;
  const query = { ...good.query, ...request.call.query };
  const call = { as: world.alice, ...base, ...request.call, query };
  const path = rawPathOf(route, { ...encoded(good.params ?? {}), ...request.rawParams });
  const pairs = [queryOf(call).slice(1), request.rawQuery].filter(Boolean).join('&');
  return await fetchAnswer(`${world.server.url}${path}${pairs === '' ? '' : `?${pairs}`}`, {
    method: route.method,
    headers: headersOf(call),
    ...bodyOf(call),
  });
}

function encoded(params: Readonly<Record<string, string>>): Record<string, string> {
  const pairs = Object.entries(params).map(([name, value]) => [name, encodeURIComponent(value)]);
  return Object.fromEntries(pairs);
}
