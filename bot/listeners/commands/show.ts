import { getAction } from '../../../services/actions/read-actions.ts';
import { createDetails } from '../../blocks/details.ts';
import type { CommandListener } from './command.ts';

export const show: CommandListener = async ({ deps, asker, word }) =>
  createDetails(await getAction(deps.ctx, asker, word));
