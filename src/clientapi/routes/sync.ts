// GET /sync.

import { boolean, oneOf, optional, text, withDefault } from '../../http/parameters.ts';
import { type Requester, type Route, type RouteRequest, route } from '../../http/route.ts';
import type { StateSection } from '../../syncserver/api.ts';
import type { ClientapiContext } from '../context.ts';
import { resolveSyncFilter } from '../filters.ts';
import { notePresence } from '../sync-presence.ts';
import { longPoll } from '../timeout-parameter.ts';
import { viewerOf } from '../viewer.ts';
import { withoutUndefined } from '../without-undefined.ts';

const query = {
  filter: optional(text()),
  since: optional(text()),
  full_state: withDefault(boolean(), false),
  set_presence: withDefault(oneOf('offline', 'online', 'unavailable'), 'online'),
  timeout: longPoll(),
  use_state_after: withDefault(boolean(), false),
  'org.matrix.msc4222.use_state_after': withDefault(boolean(), false),
};

export function sync(context: ClientapiContext): Route {
  const { syncserver } = context;
  return route({
    operationId: 'sync',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/sync'],
    auth: 'guest',
    query,
    handler: async (request) => {
      const { requester, query, signal } = request;
      const filter = await resolveSyncFilter(context, requester.userId, query.filter);
      await noteSeen(context, request);
      await notePresence(context, requester.userId, query.set_presence);
      return await syncserver.sync({
        ...withoutUndefined({ since: query.since || undefined }),
        viewer: viewerOf(requester),
        timeoutMs: query.full_state ? 0 : query.timeout,
        fullState: query.full_state,
        filter,
        stateSection: stateSection(query),
        signal,
      });
    },
  });
}

function stateSection(query: {
  readonly use_state_after: boolean;
  readonly 'org.matrix.msc4222.use_state_after': boolean;
}): StateSection {
  if (query.use_state_after) return 'state_after';
  if (query['org.matrix.msc4222.use_state_after']) return 'org.matrix.msc4222.state_after';
  return 'state';
}

async function noteSeen(
  { userserver }: ClientapiContext,
  {
    requester,
    remoteAddress,
    userAgent = '',
  }: Pick<
    RouteRequest<unknown, unknown, unknown, Requester>,
    'requester' | 'remoteAddress' | 'userAgent'
  >,
): Promise<void> {
  const { userId, deviceId } = viewerOf(requester);
  await userserver.noteDeviceSeen({ userId, deviceId, ip: remoteAddress, userAgent });
}
