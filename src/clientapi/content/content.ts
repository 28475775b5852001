// Checks of event content that the schema of an endpoint cannot make, by event type.

import { MatrixError } from '../../protocol/error.ts';
import type { Viewer } from '../../syncserver/api.ts';
import type { ClientapiContext } from '../context.ts';
import { checkCanonicalAlias } from './canonical-alias.ts';
import { checkNotDuplicate } from './duplicate-annotation.ts';
import type { EventContent } from './event-content.ts';
import { checkPowerLevels } from './power-levels.ts';

/** Throws M_BAD_JSON, M_INVALID_PARAM, M_BAD_ALIAS, M_DUPLICATE_ANNOTATION. */
export async function checkContent(
  context: Pick<ClientapiContext, 'roomserver' | 'syncserver'>,
  viewer: Viewer,
  event: EventContent,
): Promise<void> {
  if (event.type === 'm.room.tombstone') checkTombstone(event);
  if (event.stateKey === undefined) await checkNotDuplicate(context, viewer, event);
  else if (event.type === 'm.room.power_levels') checkPowerLevels(event.content);
  else if (event.type === 'm.room.canonical_alias') await checkCanonicalAlias(context, event);
}

/** A room does not replace itself. */
function checkTombstone({ roomId, content }: EventContent): void {
  if (content.replacement_room !== roomId) return;
  throw new MatrixError('M_INVALID_PARAM', 'The replacement is the room itself');
}
