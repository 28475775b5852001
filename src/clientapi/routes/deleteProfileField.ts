// DELETE /profile/{userId}/{keyName}.

import { userId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { checkMayChange, profileField } from '../profile-field.ts';
import { checkIsSelf } from '../viewer.ts';
import { usersVisible } from '../visible.ts';

export function deleteProfileField(context: ClientapiContext): Route {
  return route({
    operationId: 'deleteProfileField',
    method: 'DELETE',
    paths: ['/_matrix/client/{r0,v3}/profile/:userId/:keyName'],
    auth: 'guest',
    rateLimit: 'membership',
    params: { userId: userId(), keyName: profileField() },
    handler: async ({ requester, params: { userId, keyName: field } }) => {
      checkIsSelf(requester, userId);
      checkMayChange(requester, field);
      await usersVisible(
        context,
        await context.userserver.performSetProfileField({ userId, field }),
      );
      return {};
    },
  });
}
