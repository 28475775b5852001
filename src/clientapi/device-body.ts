// A device as its owner sees it.

import type { Device } from '../userserver/api.ts';
import { withoutUndefined } from './without-undefined.ts';

export function deviceBody(device: Device): object {
  return withoutUndefined({
    device_id: device.deviceId,
    display_name: device.displayName,
    last_seen_ip: device.lastSeenIp,
    last_seen_ts: device.lastSeenTs,
  });
}
