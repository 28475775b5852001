// GET /versions.

import { type Route, route } from '../../http/route.ts';

/**
 * Clients read a version as "what it brought is there". So those versions are left out whose endpoints are missing:
 * v1.4 (list of threads), v1.6 (event by timestamp), v1.13 and v1.14 (reports). What is missing whatever the version, such as search, answers M_UNRECOGNIZED, which
 * clients meet everywhere. matrix-js-sdk wants one of v1.1 to v1.13, older clients an r0.
 */
export const SPECIFICATION_VERSIONS: readonly string[] = [
  'r0.5.0',
  'r0.6.0',
  'r0.6.1',
  'v1.1',
  'v1.2',
  'v1.3',
  'v1.5',
  'v1.7',
  'v1.8',
  'v1.9',
  'v1.10',
  'v1.11',
  'v1.12',
  'v1.15',
  'v1.16',
];

/** The names of MSCs say of the versions left out what is there of them. */
const UNSTABLE_FEATURES = {
  /** Peeking. */
  'org.matrix.msc2753': true,
  /** v1.4: private read receipts. */
  'org.matrix.msc2285.stable': true,
  /** v1.4: threads, without the list of them, and relations in both directions. */
  'org.matrix.msc3440.stable': true,
  'org.matrix.msc3715.stable': true,
  /** v1.4: receipts and unread counts by thread. */
  'org.matrix.msc3771': true,
  'org.matrix.msc3773': true,
  /** v1.4: published rooms by type. */
  'org.matrix.msc3827.stable': true,
  /** v1.16, for clients that ask for it by its former name: state_after in /sync. */
  'org.matrix.msc4222': true,
};

export function getVersions(): Route {
  return route({
    operationId: 'getVersions',
    method: 'GET',
    paths: ['/_matrix/client/versions'],
    auth: 'none',
    handler: async () => ({
      versions: SPECIFICATION_VERSIONS,
      unstable_features: UNSTABLE_FEATURES,
    }),
  });
}
