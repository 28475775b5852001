// The device that /login and /register sign in.

import { Type } from '../json-schema.ts';
import { parseDeviceId } from '../protocol/identifiers.ts';
import type { NewDevice } from '../userserver/api.ts';
import { identifierText } from './identifier-text.ts';
import { withoutUndefined } from './without-undefined.ts';

/** Properties of the request bodies. */
export const deviceProperties = {
  device_id: Type.Optional(identifierText('device-id')),
  initial_device_display_name: Type.Optional(Type.String({ maxLength: 256 })),
  refresh_token: Type.Optional(Type.Boolean()),
};

export function newDeviceOf(body: {
  readonly device_id?: string;
  readonly initial_device_display_name?: string;
  readonly refresh_token?: boolean;
}): NewDevice {
  return withoutUndefined({
    deviceId: body.device_id === undefined ? undefined : parseDeviceId(body.device_id),
    displayName: body.initial_device_display_name,
    refreshable: body.refresh_token === true,
  });
}
