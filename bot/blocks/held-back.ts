import { timesInRow } from '../../domain/limits.ts';
import { describeOutcome } from '../../domain/outcome-words.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { News } from './message.ts';
import { MAX_REASON } from './facts.ts';
import { COMMAND, HELD_BACK_BLOCK, HELD_BACK_EVENT_TYPE, shortId } from './names.ts';
import { factsBlock, MAX_SENTENCE, sentenceBlock } from './parts.ts';
import { escapeMrkdwn, toLine } from './text.ts';

/** The new message in the channel when a playbook has failed too often in a row on a server: `failed` is the last time. */
export function createHeldBackNews(failed: ActionView, failures: number): News {
  const { playbook, server } = failed;
  const id = shortId(failed.id);
  const sentence = toLine(
    `${playbook} is held back on ${server}: it has failed there ${timesInRow(failures)}, so nothing of it starts there.`,
    MAX_SENTENCE,
  );
  const facts = factsBlock([
    ['The last time', `${toLine(describeOutcome(failed), MAX_REASON)} (${id})`],
    ['What to do', `see why with ${COMMAND} show ${id}, then ${COMMAND} replay ${id}, or dismiss ${id} and a reason`],
    ['Then', 'it gets one more try; a success ends this, another failure holds it back again'],
  ]);
  return {
    text: escapeMrkdwn(sentence),
    blocks: [sentenceBlock(sentence, { blockId: HELD_BACK_BLOCK }), facts],
    metadata: { event_type: HELD_BACK_EVENT_TYPE, event_payload: { action_id: failed.id } },
  };
}
