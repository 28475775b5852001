// POST /rooms/{roomId}/kick.

import type { Route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { moderationRoute } from '../membership-change.ts';

export function kick(context: ClientapiContext): Route {
  return moderationRoute(context, 'kick');
}
