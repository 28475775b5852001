// POST /rooms/{roomId}/unban.

import type { Route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { moderationRoute } from '../membership-change.ts';

export function unban(context: ClientapiContext): Route {
  return moderationRoute(context, 'unban');
}
