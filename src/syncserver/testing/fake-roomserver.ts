// A roomserver for tests: every room a straight line of events, anything allowed, snapshots in memory.

import type { Database } from '../../database/database.ts';
import type { RoomEntry, StateChange } from '../../eventlog/entries.ts';
import { ENTRY_VERSION } from '../../eventlog/entries.ts';
import type { EventLog } from '../../eventlog/eventlog.ts';
import type { PduJson, PduRecord } from '../../protocol/events/pdu.ts';
import type { DeviceId, EventId, RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { type HistoryVisibility, moreOpen } from '../../protocol/visibility.ts';
import type { RoomInfo, RoomserverApi, StateEntry, StoredEvent } from '../../roomserver/api.ts';
import { type Key, Snapshots } from './snapshots.ts';

interface FakeRoom {
  readonly roomId: RoomId;
  readonly creator: UserId;
  current: string;
  depth: number;
}

export interface NewEvent {
  readonly sender: UserId;
  readonly type: string;
  readonly content: JsonObject;
  readonly stateKey?: string;
  readonly transaction?: { readonly deviceId: DeviceId; readonly id: string };
  /** A snapshot to be the state before, in place of the current one. */
  readonly stateBefore?: string;
}

type BackfillRequest = Parameters<RoomserverApi['performBackfill']>[0];

interface HeldEntry {
  readonly key: RoomId;
  readonly entry: RoomEntry;
}

export class FakeRoomserver {
  readonly #database: Database;
  readonly #eventLog: EventLog;
  readonly #now: () => number;
  readonly #states = new Snapshots();
  readonly #events = new Map<EventId, StoredEvent>();
  readonly #rooms = new Map<RoomId, FakeRoom>();
  #held: HeldEntry[] | undefined;
  #ids = 0;
  /** How often each method was called. */
  readonly calls = new Map<string, number>();
  position = 0;
  /** What other servers have; nothing unless a test says so. */
  backfill: RoomserverApi['performBackfill'] = async () => ({ position: 0, isNew: false });

  constructor(database: Database, eventLog: EventLog, now: () => number) {
    this.#database = database;
    this.#eventLog = eventLog;
    this.#now = now;
  }

  get api(): RoomserverApi {
    const methods: Record<string, unknown> = {
      queryEvents: this.#queryEvents,
      performBackfill: (request: BackfillRequest) => this.backfill(request),
      queryRoom: this.#queryRoom,
      queryStateEvents: this.#queryStateEvents,
      queryStateIds: this.#queryStateIds,
      queryStateDelta: async (request: Parameters<Snapshots['delta']>[0]) =>
        this.#states.delta(request),
      queryStateAcross: async (request: Parameters<Snapshots['across']>[0]) =>
        this.#states.across(request),
      queryPublished: async () => ({ published: false }),
      queryPower: async () => ({ userLevel: 100, notifications: {} }),
    };
    return new Proxy(methods, {
      get: (target, name: string) => {
        if (name === 'then') return undefined;
        const method = target[name];
        if (method === undefined) throw new Error(`the fake roomserver has no ${name}`);
        return (request: unknown) => {
          this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
          return (method as (this: FakeRoomserver, request: unknown) => unknown).call(
            this,
            request,
          );
        };
      },
    }) as unknown as RoomserverApi;
  }

  /** create, join of the creator, power levels, join rules, history visibility, and a name where one is given. */
  async createRoom(
    creator: UserId,
    options: { readonly visibility?: HistoryVisibility; readonly name?: string } = {},
  ): Promise<RoomId> {
    this.#ids += 1;
    const roomId = `!room${this.#ids}:localhost` as RoomId;
    this.#rooms.set(roomId, { roomId, creator, current: 'empty', depth: 0 });
    const set = (type: string, content: JsonObject, stateKey = '') =>
      this.send(roomId, { sender: creator, type, stateKey, content });
    await set('m.room.create', { room_version: '11' });
    await set('m.room.member', { membership: 'join' }, creator);
    await set('m.room.power_levels', { users: { [creator]: 100 } });
    await set('m.room.join_rules', { join_rule: 'public' });
    const { visibility = 'shared', name } = options;
    await set('m.room.history_visibility', { history_visibility: visibility });
    if (name !== undefined) await set('m.room.name', { name });
    return roomId;
  }

  async send(roomId: RoomId, event: NewEvent): Promise<EventId> {
    const room = this.room(roomId);
    const stateBefore = event.stateBefore ?? room.current;
    const eventId = this.#newId();
    const record = this.#record(room, eventId, event);
    const visibilityBefore = this.#visibility(stateBefore);
    const changes = this.#change(room, eventId, event);
    const replaced = changes.find((change) => change.eventId === eventId)?.replacedEventId;
    const stored = {
      ...record,
      stateBefore,
      visibilityAtEvent: visibilityBefore,
      ...(replaced !== undefined && { replacesState: replaced }),
    };
    this.#events.set(eventId, stored);
    const visibility = this.#visibility(room.current);
    const visibilityAtEvent =
      event.type === 'm.room.history_visibility'
        ? moreOpen(visibilityBefore, visibility)
        : visibilityBefore;
    this.#events.set(eventId, { ...stored, visibilityAtEvent });
    await this.#append(roomId, {
      kind: 'NewRoomEvent',
      event: record,
      stateChanges: changes,
      stateBefore,
      currentState: room.current,
      visibilityAtEvent,
      currentVisibility: visibility,
      encrypted: this.#isEncrypted(room.current),
      ...(event.transaction && { transaction: event.transaction }),
    });
    return eventId;
  }

  /** An event of the past is filled in. */
  async fillIn(roomId: RoomId, event: NewEvent, depth: number): Promise<EventId> {
    const room = this.room(roomId);
    const eventId = this.#newId();
    const record = this.#record({ ...room, depth: depth - 1 }, eventId, event);
    const stateBefore = room.current;
    const visibilityAtEvent = this.#visibility(stateBefore);
    this.#events.set(eventId, { ...record, stateBefore, visibilityAtEvent });
    const old = { kind: 'OldRoomEvent', event: record, stateBefore, visibilityAtEvent } as const;
    await this.#append(roomId, old);
    return eventId;
  }

  message(roomId: RoomId, sender: UserId, body: string): Promise<EventId> {
    return this.send(roomId, {
      sender,
      type: 'm.room.message',
      content: { body, msgtype: 'm.text' },
    });
  }

  setState(roomId: RoomId, sender: UserId, key: Key & { content: JsonObject }): Promise<EventId> {
    return this.send(roomId, { sender, ...key });
  }

  /** Done by the user herself; by the creator where only others can. */
  member(roomId: RoomId, userId: UserId, membership: string): Promise<EventId> {
    const isOthers = membership === 'invite' || membership === 'ban';
    return this.send(roomId, {
      sender: isOthers ? this.room(roomId).creator : userId,
      type: 'm.room.member',
      stateKey: userId,
      content: { membership },
    });
  }

  setVisibility(roomId: RoomId, visibility: HistoryVisibility): Promise<EventId> {
    return this.setState(roomId, this.room(roomId).creator, {
      type: 'm.room.history_visibility',
      stateKey: '',
      content: { history_visibility: visibility },
    });
  }

  async redact(roomId: RoomId, eventId: EventId): Promise<void> {
    const { creator } = this.room(roomId);
    const redaction = await this.send(roomId, {
      sender: creator,
      type: 'm.room.redaction',
      content: { redacts: eventId },
    });
    const event = this.#events.get(eventId);
    const because = this.#events.get(redaction);
    if (event === undefined || because === undefined) throw new Error('no such event');
    const json = { ...event.json, content: {} };
    this.#events.set(eventId, { ...event, json, redactedBecause: because });
    await this.#append(roomId, { kind: 'RedactedEvent', redacted: eventId, redaction });
  }

  /** The state changes without an event in the timeline, as after resolution or a resync. */
  async replaceState(
    roomId: RoomId,
    event: NewEvent & { readonly stateKey: string },
    reason: 'resolution' | 'resync' = 'resolution',
  ): Promise<EventId> {
    const room = this.room(roomId);
    const eventId = this.#newId();
    const record = this.#record(room, eventId, event);
    const stateBefore = room.current;
    const visibilityAtEvent = this.#visibility(stateBefore);
    const stateChanges = this.#change(room, eventId, event);
    this.#events.set(eventId, { ...record, stateBefore, visibilityAtEvent });
    const visibility = this.#visibility(room.current);
    await this.#append(roomId, {
      kind: 'StateReplaced',
      reason,
      roomVersion: '11',
      stateChanges,
      currentState: room.current,
      currentVisibility: visibility,
      encrypted: this.#isEncrypted(room.current),
    });
    return eventId;
  }

  peek(
    roomId: RoomId,
    by: { readonly userId: UserId; readonly deviceId: DeviceId },
    options: { readonly lifetimeMs?: number; readonly via?: 'sync' | 'events' } = {},
  ): Promise<void> {
    const { lifetimeMs = 3_600_000, via = 'sync' } = options;
    const { current: currentState } = this.room(roomId);
    const expiryTs = this.#now() + lifetimeMs;
    const { userId, deviceId } = by;
    return this.#append(roomId, { kind: 'NewPeek', userId, deviceId, expiryTs, via, currentState });
  }

  unpeek(
    roomId: RoomId,
    { userId, deviceId }: { readonly userId: UserId; readonly deviceId: DeviceId },
  ): Promise<void> {
    return this.#append(roomId, { kind: 'RetirePeek', userId, deviceId, via: 'sync' });
  }

  forget(roomId: RoomId, userId: UserId): Promise<void> {
    return this.#append(roomId, { kind: 'ForgetRoom', userId });
  }

  async purge(roomId: RoomId): Promise<void> {
    this.#rooms.delete(roomId);
    await this.#append(roomId, { kind: 'PurgeRoom' });
  }

  append(roomId: RoomId, entry: RoomEntryBody): Promise<void> {
    return this.#append(roomId, entry);
  }

  room(roomId: RoomId): FakeRoom {
    const room = this.#rooms.get(roomId);
    if (room === undefined) throw new Error(`no room ${roomId}`);
    return room;
  }

  /** What is appended meanwhile comes to the log in one unit, and so to its consumers in one batch. */
  async together<T>(work: () => Promise<T>): Promise<T> {
    this.#held = [];
    const result = await work();
    const held = this.#held;
    this.#held = undefined;
    await this.#appendAll(held);
    return result;
  }

  async #append(roomId: RoomId, entry: RoomEntryBody): Promise<void> {
    const appended = { key: roomId, entry: { v: ENTRY_VERSION, ...entry } as RoomEntry };
    if (this.#held !== undefined) this.#held.push(appended);
    else await this.#appendAll([appended]);
  }

  async #appendAll(entries: readonly HeldEntry[]): Promise<void> {
    const ticket = await this.#database.transact((tx) =>
      this.#eventLog.append(tx, 'roomserver.output', entries),
    );
    this.position = await this.#eventLog.position(ticket);
  }

  #newId(): EventId {
    this.#ids += 1;
    return `$event${this.#ids}` as EventId;
  }

  #record(room: FakeRoom, eventId: EventId, event: NewEvent): PduRecord {
    room.depth += 1;
    const json: PduJson = {
      type: event.type,
      sender: event.sender,
      content: event.content,
      room_id: room.roomId,
      depth: room.depth,
      origin_server_ts: this.#now(),
      prev_events: [],
      auth_events: [],
      hashes: {},
      signatures: {},
      ...(event.stateKey !== undefined && { state_key: event.stateKey }),
    };
    return { eventId, roomVersion: '11', json };
  }

  #change(room: FakeRoom, eventId: EventId, event: NewEvent): StateChange[] {
    const { type, stateKey, sender } = event;
    if (stateKey === undefined) return [];
    const before = this.#states.get(room.current);
    const replaced = before.get(`${type}\0${stateKey}`);
    this.#ids += 1;
    room.current = `state${this.#ids}`;
    this.#states.set(room.current, new Map([...before, [`${type}\0${stateKey}`, eventId]]));
    const previous = replaced && this.#events.get(replaced)?.json.content.membership;
    return [
      {
        type,
        stateKey,
        eventId,
        sender,
        ...(replaced !== undefined && { replacedEventId: replaced }),
        ...(type === 'm.room.member' && { membership: String(event.content.membership) }),
        ...(typeof previous === 'string' && { previousMembership: previous }),
      },
    ];
  }

  #visibility(snapshot: string): HistoryVisibility {
    const id = this.#states.get(snapshot).get('m.room.history_visibility\0');
    const event = id && this.#events.get(id);
    return (event?.json.content.history_visibility ?? 'shared') as HistoryVisibility;
  }

  #isEncrypted(snapshot: string): boolean {
    return this.#states.get(snapshot).has('m.room.encryption\0');
  }

  async #queryEvents({ eventIds }: { eventIds: readonly EventId[] }): Promise<StoredEvent[]> {
    return eventIds.flatMap((id) => this.#events.get(id) ?? []);
  }

  async #queryStateIds(request: {
    roomId: RoomId;
    snapshot?: string;
    members: 'all' | 'none' | 'only';
    limit?: number;
  }): Promise<{ entries: StateEntry[] }> {
    const entries = this.#states.entries(request.snapshot ?? this.room(request.roomId).current);
    const isWanted = ({ type }: StateEntry) =>
      request.members === 'all' || (type === 'm.room.member') === (request.members === 'only');
    return { entries: entries.filter(isWanted).slice(0, request.limit) };
  }

  async #queryRoom({ roomId }: { roomId: RoomId }): Promise<RoomInfo | undefined> {
    const room = this.#rooms.get(roomId);
    if (room === undefined) return undefined;
    const count = (membership: string) =>
      [...this.#states.get(room.current)].filter(
        ([key, id]) =>
          key.startsWith('m.room.member\0') &&
          this.#events.get(id)?.json.content.membership === membership,
      ).length;
    return {
      roomId,
      roomVersion: '11',
      creator: room.creator,
      isResident: true,
      currentState: room.current,
      forwardExtremities: [],
      visibility: this.#visibility(room.current),
      encrypted: this.#isEncrypted(room.current),
      joinedMembers: count('join'),
      invitedMembers: count('invite'),
    };
  }

  async #queryStateEvents(request: {
    roomId: RoomId;
    snapshot?: string;
    keys: readonly Key[];
  }): Promise<StoredEvent[]> {
    const state = this.#states.get(request.snapshot ?? this.room(request.roomId).current);
    const ids = request.keys.flatMap(
      ({ type, stateKey }) => state.get(`${type}\0${stateKey}`) ?? [],
    );
    return this.#queryEvents({ eventIds: ids });
  }
}

type WithoutVersion<T> = T extends unknown ? Omit<T, 'v'> : never;
export type RoomEntryBody = WithoutVersion<RoomEntry>;
