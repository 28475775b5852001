// POST /rooms/{roomId}/ban.

import type { Route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { moderationRoute } from '../membership-change.ts';

export function ban(context: ClientapiContext): Route {
  return moderationRoute(context, 'ban');
}
