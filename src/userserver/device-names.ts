// What clients may call their devices.

import { MatrixError } from '../protocol/error.ts';
import { isDeviceId } from '../protocol/identifiers.ts';

const MAX_DISPLAY_NAME_LENGTH = 512;

/** Throws M_INVALID_PARAM. */
export function checkDeviceId(deviceId: string | undefined): void {
  if (deviceId !== undefined && !isDeviceId(deviceId)) {
    throw new MatrixError('M_INVALID_PARAM', 'Device IDs have 1 to 255 bytes');
  }
}

/** Throws M_INVALID_PARAM. */
export function checkDeviceDisplayName(name: string | undefined): void {
  if (name !== undefined && name.length > MAX_DISPLAY_NAME_LENGTH) {
    const message = `Names of devices have at most ${MAX_DISPLAY_NAME_LENGTH} characters`;
    throw new MatrixError('M_INVALID_PARAM', message);
  }
}
