// PUT /profile/{userId}/{keyName}.

import { userId } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { checkMayChange, profileField } from '../profile-field.ts';
import { checkIsSelf } from '../viewer.ts';
import { usersVisible } from '../visible.ts';

export function setProfileField(context: ClientapiContext): Route {
  return route({
    operationId: 'setProfileField',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/profile/:userId/:keyName'],
    auth: 'guest',
    rateLimit: 'membership',
    params: { userId: userId(), keyName: profileField() },
    body: jsonObject,
    handler: async ({ requester, params: { userId, keyName: field }, body }) => {
      checkIsSelf(requester, userId);
      checkMayChange(requester, field);
      const value = Object.hasOwn(body, field) ? body[field] : undefined;
      if (value === undefined) {
        throw new MatrixError('M_MISSING_PARAM', `The key '${field}' is missing`);
      }
      const change = { userId, field, value };
      await usersVisible(context, await context.userserver.performSetProfileField(change));
      return {};
    },
  });
}
