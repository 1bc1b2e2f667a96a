import { approveOrAsk } from '../approve.ts';
import type { CommandListener } from './command.ts';

export const approve: CommandListener = ({ word, reason, ...call }) =>
  approveOrAsk({ ...call, actionId: word }, reason);
