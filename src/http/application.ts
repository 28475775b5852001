// Routes → one fastify application: routing, reading bodies, running handlers.

import type { IncomingMessage } from 'node:http';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Logger } from '../logger.ts';
import { MatrixError } from '../protocol/error.ts';
import { AddressTurns } from './address-turns.ts';
import { type Admission, admit } from './admission.ts';
import { BodyBudget } from './body-budget.ts';
import { type ReceivedRequest, runHandler, runServerHandler } from './handler.ts';
import { createMethodTable } from './paths.ts';
import { addressKey } from './rate-limit.ts';
import { remoteAddressOf } from './remote-address.ts';
import { RequestContext } from './request-context.ts';
import { DEFAULT_MAX_BODY_BYTES, type Route } from './route.ts';
import { sendFailure, sendMatrixError, sendResult } from './send.ts';
import { bodyReader, enterLane } from './server-entrance.ts';
import type { ServerLanes } from './server-lanes.ts';
import type { ServerAdmission, ServerIdentification } from './server-request.ts';

declare module 'fastify' {
  interface FastifyRequest {
    context: RequestContext | null;
  }
  interface FastifyContextConfig {
    route?: Route;
  }
}

export interface ApplicationOptions extends Admission, ServerAdmission {
  readonly routes: readonly Route[];
  readonly lanes: ServerLanes;
  readonly logger: Logger;
  /** Told of every request that a handler runs for, and when its handler is done. */
  readonly onStart: (context: RequestContext) => void;
  readonly onEnd: (context: RequestContext) => void;
}

interface Parts extends ApplicationOptions, ServerIdentification {
  readonly budget: BodyBudget;
}

/** Longer than any request line that node accepts: identifiers are refused by their own grammar. */
const MAX_PARAM_LENGTH = 65_536;

export async function createApplication(options: ApplicationOptions): Promise<FastifyInstance> {
  const { routes, logger } = options;
  const parts = { ...options, budget: new BodyBudget(), turns: new AddressTurns() };
  const app = fastify({
    exposeHeadRoutes: false,
    bodyLimit: DEFAULT_MAX_BODY_BYTES,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, querystringParser: () => ({}) },
    frameworkErrors: (error, _request, reply) =>
      sendFailure(reply as FastifyReply, { error, logger }),
  });
  app.decorateRequest('context', null);
  app.removeAllContentTypeParsers();
  app.setNotFoundHandler(notFound(routes));
  app.setErrorHandler((error, _request, reply) => sendFailure(reply, { error, logger }));
  const isOfServer = (route: Route) => route.auth === 'server' && route.rawBody !== true;
  await app.register(async (json) => {
    json.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, bytes, done) => {
      done(null, bytes);
    });
    for (const route of routes) {
      if (route.rawBody !== true && !isOfServer(route)) addRoute(json, route, parts);
    }
  });
  await app.register(async (server) => {
    server.addContentTypeParser('*', bodyReader(parts.lanes));
    for (const route of routes) if (isOfServer(route)) addRoute(server, route, parts);
  });
  await app.register(async (raw) => {
    raw.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    for (const route of routes) if (route.rawBody === true) addRoute(raw, route, parts);
  });
  await app.ready();
  return app;
}

function addRoute(app: FastifyInstance, route: Route, options: Parts): void {
  const { logger } = options;
  for (const url of route.paths) {
    app.route({
      method: route.method,
      url,
      bodyLimit: route.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES,
      config: { route },
      onRequest: (request, reply) => receive(route, options, { request, reply }),
      handler: (request, reply) => handle(route, options, { request, reply }),
      errorHandler: (error, _request, reply) =>
        sendFailure(reply, { error, logger, overrides: route.errorStatus }),
    });
  }
}

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

async function receive(route: Route, options: Parts, { request, reply }: Exchange): Promise<void> {
  const { raw } = request;
  const context = new RequestContext(raw, reply.raw, remoteAddressOf(raw));
  request.context = context;
  // JSON is wanted whatever the client calls it, and an upload may call itself anything.
  if (raw.headers['content-type'] !== undefined) raw.headers['content-type'] = 'text/plain';
  context.requester = await admit(options, route, {
    authorization: raw.headers.authorization,
    query: () => context.queryValues(),
    remoteAddress: context.remoteAddress,
  });
  if (route.auth === 'server') await enterLane(options.lanes, route, { request, reply });
  if (route.rawBody === true) return;
  const key = addressKey(context.remoteAddress);
  const giveBack = options.budget.reserve(key, announcedBytes(raw, route));
  if (giveBack !== undefined) reply.raw.once('close', giveBack);
}

/** Of another server's body that does not say how long it is, the most that is read of it. */
function announcedBytes({ headers }: IncomingMessage, { auth, maxBodyBytes }: Route): number {
  const most = maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
  if (auth === 'server' && headers['transfer-encoding'] !== undefined) return most;
  return Math.min(Number(headers['content-length'] ?? 0), most);
}

async function handle(
  route: Route,
  options: Parts,
  { request, reply }: Exchange,
): Promise<FastifyReply> {
  const context = request.context as RequestContext;
  context.isHandled = true;
  const received: ReceivedRequest = {
    context,
    params: request.params as Readonly<Record<string, string>>,
    body: request.body,
    raw: request.raw,
  };
  request.body = undefined;
  options.onStart(context);
  try {
    const result = await (route.auth === 'server'
      ? runServerHandler(route, received, options)
      : runHandler(route, received));
    return sendResult(reply, result);
  } finally {
    options.onEnd(context);
    context.leave();
  }
}

function notFound(routes: readonly Route[]) {
  const methodsOf = createMethodTable(
    routes.flatMap(({ method, paths }) => paths.map((path) => ({ method, path }))),
  );
  const unknownPath = new MatrixError('M_UNRECOGNIZED', 'Unrecognized request');
  const wrongMethod = new MatrixError('M_UNRECOGNIZED', 'This endpoint does not know this method');
  return (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const methods = methodsOf(request.raw.url?.split('?')[0] ?? '');
    if (methods.length === 0) return sendMatrixError(reply, unknownPath);
    reply.header('allow', methods.join(', '));
    return sendMatrixError(reply, wrongMethod, { M_UNRECOGNIZED: 405 });
  };
}
