import { approveOrAsk } from '../approve.ts';
import type { ClickListener } from './click.ts';

export const approveClicked: ClickListener = (click) => approveOrAsk(click);
