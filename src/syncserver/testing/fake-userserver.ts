// A userserver for tests: account data, devices and push rules in memory.

import type { Database } from '../../database/database.ts';
import { ENTRY_VERSION, type UserEntry } from '../../eventlog/entries.ts';
import type { EventLog } from '../../eventlog/eventlog.ts';
import type { DeviceId, RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { UserserverApi } from '../../userserver/api.ts';

interface Data {
  readonly userId: UserId;
  readonly roomId?: RoomId | undefined;
  readonly type: string;
}

export class FakeUserserver {
  readonly #database: Database;
  readonly #eventLog: EventLog;
  readonly #data = new Map<string, { readonly key: Data; readonly content: JsonObject }>();
  readonly devices = new Map<UserId, DeviceId[]>();
  /** Of which there is nothing any more; all others exist. */
  readonly #deleted = new Set<string>();
  readonly #deactivated = new Set<UserId>();
  /** Awaited before ignored users are told: lets something happen while a sync is being answered. */
  beforeIgnored: () => Promise<void> = async () => {};
  pushRules: JsonObject = { global: {} };
  position = 0;

  constructor(database: Database, eventLog: EventLog) {
    this.#database = database;
    this.#eventLog = eventLog;
  }

  get api(): UserserverApi {
    const methods: Partial<UserserverApi> = {
      queryAccountData: async (key) => this.#data.get(idOf(key))?.content,
      queryAllAccountData: async ({ userId }) =>
        [...this.#data.values()]
          .filter(({ key }) => key.userId === userId)
          .map(({ key: { roomId, type }, content }) => ({
            type,
            content,
            ...(roomId !== undefined && { roomId }),
          })),
      queryIgnoredUsers: async ({ userId }) => {
        await this.beforeIgnored();
        const list = this.#data.get(idOf({ userId, type: 'm.ignored_user_list' }))?.content;
        return Object.keys((list?.ignored_users as JsonObject | undefined) ?? {}) as UserId[];
      },
      queryKeyCounts: async () => ({ oneTimeKeys: {}, unusedFallbackKeys: [] }),
      queryPushRules: async () => this.pushRules,
      queryDevices: async ({ userId }) =>
        (this.devices.get(userId) ?? []).map((deviceId) => ({ deviceId })),
      queryDevice: async ({ userId, deviceId }) =>
        this.#hasDevice(userId, deviceId) ? { deviceId } : undefined,
    };
    return methods as UserserverApi;
  }

  async setAccountData(key: Data, content: JsonObject): Promise<void> {
    this.#data.set(idOf(key), { key, content });
    const { roomId, type } = key;
    await this.append(key.userId, {
      kind: 'AccountDataChanged',
      type,
      ...(roomId !== undefined && { roomId }),
    });
  }

  ignore(userId: UserId, ignored: UserId): Promise<void> {
    const content = { ignored_users: { [ignored]: {} } };
    return this.setAccountData({ userId, type: 'm.ignored_user_list' }, content);
  }

  /** One that was deleted is there again. */
  addDevice(userId: UserId, deviceId: DeviceId): void {
    this.#deleted.delete(`${userId} ${deviceId}`);
  }

  deleteDevice(userId: UserId, deviceId: DeviceId): Promise<void> {
    this.#deleted.add(`${userId} ${deviceId}`);
    return this.append(userId, { kind: 'DeviceDeleted', deviceId });
  }

  deactivate(userId: UserId): Promise<void> {
    this.#deactivated.add(userId);
    return this.append(userId, { kind: 'UserDeactivated' });
  }

  async append(userId: UserId, entry: WithoutVersion<UserEntry>): Promise<void> {
    const entries = [{ key: userId, entry: { v: ENTRY_VERSION, ...entry } as UserEntry }];
    const ticket = await this.#database.transact((tx) =>
      this.#eventLog.append(tx, 'userserver.output', entries),
    );
    this.position = await this.#eventLog.position(ticket);
  }

  #hasDevice(userId: UserId, deviceId: DeviceId): boolean {
    return !this.#deactivated.has(userId) && !this.#deleted.has(`${userId} ${deviceId}`);
  }
}

type WithoutVersion<T> = T extends unknown ? Omit<T, 'v'> : never;

function idOf({ userId, roomId, type }: Data): string {
  return [userId, roomId ?? '', type].join('\0');
}
