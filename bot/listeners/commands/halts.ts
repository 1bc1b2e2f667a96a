import { listStandingHalts } from '../../../services/halts/read-halts.ts';
import { createHaltList } from '../../blocks/halt.ts';
import type { CommandListener } from './command.ts';

export const halts: CommandListener = async ({ deps, asker }) =>
  createHaltList(await listStandingHalts(deps.ctx, asker));
