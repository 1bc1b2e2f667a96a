import { describeReach } from '../../../domain/halt.ts';
import { declareHalt } from '../../../services/halts/declare-halt.ts';
import { createAnswer } from '../../blocks/answer.ts';
import { COMMAND } from '../../blocks/names.ts';
import { showDuration } from '../../blocks/text.ts';
import type { CommandListener } from './command.ts';

const NO_REASON = 'No reason was given in Slack.'; // stopping is never held up by a missing word

export const halt: CommandListener = async ({ deps, asker, triggerId, reason, durationMs, named }) => {
  const given = reason === undefined || reason.trim() === '' ? NO_REASON : reason;
  const until = durationMs === undefined ? undefined : new Date(Date.now() + durationMs);
  const { tag, playbook } = named;
  const requestKey = `slack:${triggerId}`;
  const declared = await declareHalt(deps.ctx, asker, { reason: given, until, tag, playbook, requestKey });
  const end = durationMs === undefined ? '' : ` It ends by itself in ${showDuration(durationMs)}.`;
  const lift = `${COMMAND} unhalt ${declared.id} ends it`;
  return createAnswer(`${describeReach(declared)}: nothing of it starts any more. What runs goes on; ${lift}.${end}`);
};
