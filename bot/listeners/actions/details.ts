import { getAction } from '../../../services/actions/read-actions.ts';
import { createDetails, createDetailsView } from '../../blocks/details.ts';
import { openView } from '../../open-view.ts';
import type { ClickListener } from './click.ts';

/** As a private answer below its message; on Home, where there is none, as a window. */
export const detailsClicked: ClickListener = async ({ deps, asker, actionId, channel, triggerId }) => {
  const action = await getAction(deps.ctx, asker, actionId);
  if (channel !== null) return createDetails(action);
  await openView(deps, { triggerId, view: createDetailsView(action) });
  return null;
};
