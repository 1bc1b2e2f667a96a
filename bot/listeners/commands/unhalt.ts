import { describeRelease, describeVoided } from '../../../domain/halt.ts';
import { liftHalt } from '../../../services/halts/lift-halt.ts';
import { listStandingHalts } from '../../../services/halts/read-halts.ts';
import { createAnswer } from '../../blocks/answer.ts';
import { createHaltList } from '../../blocks/halt.ts';
import type { CommandListener } from './command.ts';

/** Without a number the only one that stands; where several do, they are listed. */
export const unhalt: CommandListener = async ({ deps, asker, word, reason }) => {
  const standing = word === '' ? await listStandingHalts(deps.ctx, asker) : [];
  const [only] = standing;
  if (word === '' && (only === undefined || standing.length > 1)) return createHaltList(standing);
  const lifted = await liftHalt(deps.ctx, asker, { id: word === '' ? String(only?.id) : word, reason });
  const released = describeRelease(lifted, await listStandingHalts(deps.ctx, asker));
  return createAnswer(`${released} ${describeVoided(lifted.voided)}`);
};
