import { explainAction } from '../../../services/actions/explain-action.ts';
import { createWhy } from '../../blocks/why.ts';
import type { CommandListener } from './command.ts';

export const why: CommandListener = async ({ deps, asker, word }) =>
  createWhy(await explainAction(deps.ctx, asker, word));
