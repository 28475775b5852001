// The routes of the clientapi, for what they say of themselves: nothing behind them works.

import type { ClientapiContext } from '../../src/clientapi/context.ts';
import { createRoutes } from '../../src/clientapi/routes.ts';
import type { Route } from '../../src/http/route.ts';

const context = { config: { maxUploadBytes: 1_000_000 } } as ClientapiContext;

export const ROUTES: readonly Route[] = createRoutes(context);
