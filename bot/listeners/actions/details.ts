import { getAction } from '../../../services/actions/read-actions.ts';
import { createDetails } from '../../blocks/details.ts';
import type { ClickListener } from './click.ts';

export const detailsClicked: ClickListener = async ({ deps, asker, actionId }) =>
  createDetails(await getAction(deps.ctx, asker, actionId));
