// GET /profile/{userId}/{keyName}.

import { userId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { profileField } from '../profile-field.ts';

export function getProfileField({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getProfileField',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/profile/:userId/:keyName'],
    auth: 'none',
    params: { userId: userId(), keyName: profileField() },
    handler: async ({ params: { userId, keyName } }) => {
      const profile = await userserver.queryProfile({ userId });
      if (profile === undefined || !Object.hasOwn(profile, keyName)) {
        throw new MatrixError('M_NOT_FOUND', 'No such profile field');
      }
      return { [keyName]: profile[keyName] };
    },
  });
}
