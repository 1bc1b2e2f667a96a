import { explain } from '../why.ts';
import type { CommandListener } from './command.ts';

export const why: CommandListener = ({ deps, asker, word }) => explain(deps, asker, word);
