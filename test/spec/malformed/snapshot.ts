// What alice and bob have: for "a refused request changed nothing".

import type { Session } from '../api-client.ts';
import type { World } from '../world.ts';

type Json = Record<string, unknown>;

export async function snapshot(world: World): Promise<object> {
  return { alice: await ofUser(world, world.alice), bob: await ofUser(world, world.bob) };
}

async function ofUser(world: World, as: Session): Promise<object> {
  const get = async (operation: string, more: object = {}) =>
    (await world.ok(operation, { as, ...more })).body as Json;
  const query = { set_presence: 'offline', full_state: 'true' };
  const { next_batch: _, presence: __, ...synced } = await get('sync', { query });
  const { devices } = await get('getDevices');
  return {
    synced: withoutAges(synced),
    devices: (devices as Json[]).map(
      ({ last_seen_ts: _ts, last_seen_ip: _ip, ...device }) => device,
    ),
    profile: await get('getUserProfile', { params: { userId: as.userId } }),
    rules: await get('getPushRules'),
    pushers: await get('getPushers'),
    published: await get('getPublicRooms', { query: { limit: '500' } }),
  };
}

/** Without what grows older by itself (typing ends), and tokens, which tell the time. */
function withoutAges(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.filter((item) => item?.type !== 'm.typing').map(withoutAges);
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => key !== 'age' && key !== 'prev_batch');
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutAges(inner)]));
}
