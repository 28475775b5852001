// The refusal of an alias that leads to a room already.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomAlias } from '../../protocol/identifiers.ts';

export function aliasTaken(alias: RoomAlias): MatrixError {
  return new MatrixError('M_ROOM_IN_USE', `The alias ${alias} is taken`);
}
