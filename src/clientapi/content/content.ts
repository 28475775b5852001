// Checks of event content that the schema of an endpoint cannot make, by event type.

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
  if (event.stateKey === undefined) await checkNotDuplicate(context, viewer, event);
  else if (event.type === 'm.room.power_levels') checkPowerLevels(event.content);
  else if (event.type === 'm.room.canonical_alias') await checkCanonicalAlias(context, event);
}
