// Where there is no federation.

import { MatrixError } from '../../protocol/error.ts';
import type { PeekSender } from '../context.ts';

export const noPeekSender: PeekSender = {
  performOutboundPeek: async () => {
    throw new MatrixError('M_NOT_FOUND', 'This server does not take part in that room');
  },
  performCancelOutboundPeek: async () => undefined,
};
