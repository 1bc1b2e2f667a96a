import { explainAction } from '../../../services/actions/explain-action.ts';
import { createWhy } from '../../blocks/why.ts';
import type { ClickListener } from './click.ts';

export const whyClicked: ClickListener = async ({ deps, asker, actionId }) =>
  createWhy(await explainAction(deps.ctx, asker, actionId));
