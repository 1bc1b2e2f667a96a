import { explain } from '../why.ts';
import type { ClickListener } from './click.ts';

export const whyClicked: ClickListener = ({ deps, asker, actionId }) => explain(deps, asker, actionId);
