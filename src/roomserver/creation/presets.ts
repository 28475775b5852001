// What a preset of POST /createRoom stands for (Client-Server API, table of presets).

import type { CreateRoomRequest } from '../api.ts';

export type PresetName = NonNullable<CreateRoomRequest['preset']>;

export interface Preset {
  readonly joinRule: string;
  readonly guestAccess: string;
  /** Power that inviting takes. */
  readonly invite: number;
  /** Invitees get what the creator has. */
  readonly isTrusting: boolean;
}

export const HISTORY_VISIBILITY = 'shared';

const PRIVATE: Preset = {
  joinRule: 'invite',
  guestAccess: 'can_join',
  invite: 0,
  isTrusting: false,
};

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  private_chat: PRIVATE,
  trusted_private_chat: { ...PRIVATE, isTrusting: true },
  public_chat: { joinRule: 'public', guestAccess: 'forbidden', invite: 50, isTrusting: false },
};

/** Where a request names no preset, its visibility decides. */
export function presetOf({ preset, visibility }: CreateRoomRequest): Preset {
  return PRESETS[preset ?? (visibility === 'public' ? 'public_chat' : 'private_chat')];
}
