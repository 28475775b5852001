// GET /versions.

import { type Route, route } from '../../http/route.ts';

/** Endpoints that are not built yet answer M_UNRECOGNIZED, which clients of every version must expect. */
const VERSIONS = [
  'r0.5.0',
  'r0.6.0',
  'r0.6.1',
  ...Array.from({ length: 16 }, (_, minor) => `v1.${minor + 1}`),
];

export function getVersions(): Route {
  return route({
    operationId: 'getVersions',
    method: 'GET',
    paths: ['/_matrix/client/versions'],
    auth: 'none',
    handler: async () => ({
      versions: VERSIONS,
      unstable_features: { 'org.matrix.msc2753': true, 'org.matrix.msc4222': true },
    }),
  });
}
