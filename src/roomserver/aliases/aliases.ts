// Aliases of this server: looked up, given and taken away.

import type { RoomserverApi } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { selectAliasesOfRoom } from '../store/aliases.ts';
import { deleteAlias } from './delete-alias.ts';
import { queryAlias } from './query-alias.ts';
import { setAlias } from './set-alias.ts';

export function createAliasesApi(
  context: RoomserverContext,
): Pick<RoomserverApi, 'queryAlias' | 'queryAliases' | 'performSetAlias' | 'performDeleteAlias'> {
  return {
    queryAlias: ({ alias }) => queryAlias(context, alias),
    queryAliases: async ({ roomId }) => ({
      aliases: await selectAliasesOfRoom(context.database, roomId),
    }),
    performSetAlias: (request) => setAlias(context, request),
    performDeleteAlias: (request) => deleteAlias(context, request),
  };
}
