import type { Click, ClickKind, Violation } from '../evidence.ts';
import type { LogLine } from '../log.ts';
import type { Run } from '../run.ts';
import { collect } from '../run.ts';
import { textIn } from '../story.ts';

/**
 * What each becomes in the log. A decision that was recorded and then came too late is refused there; cancelling what
 * nobody can prove dead fails it.
 */
const EVENTS: Readonly<Record<ClickKind, readonly string[]>> = {
  request: ['action.requested'],
  approve: ['action.approved', 'action.approval_added', 'decision.refused'],
  reject: ['action.rejected', 'decision.refused'],
  cancel: ['action.cancelled', 'action.cancel_requested', 'action.failed', 'decision.refused'],
  pause: ['server.paused'],
  unpause: ['server.unpaused'],
  halt: ['halt.declared'],
  unhalt: ['halt.lifted'],
  replay: ['action.replayed'],
  dismiss: ['action.dismissed'],
};

/** No click that was acknowledged is missing, and each stands there once for itself. */
export function checkClicks({ evidence, log }: Run): Violation[] {
  return collect((say) => {
    const used = new Set<number>();
    for (const [index, click] of (evidence.clicks ?? []).entries()) {
      const found = log.find((line) => !used.has(line.seq) && isOf(click, line));
      if (found !== undefined) used.add(found.seq);
      const sentence = `${click.who} was told of a ${click.kind} at ${click.at}, and the log does not know it`;
      if (found === undefined) say('clicks_kept', `clicks:${index + 1}`, sentence);
    }
  });
}

function isOf(click: Click, line: LogLine): boolean {
  if (line.actor !== click.who || !EVENTS[click.kind].includes(line.event)) return false;
  if (click.action_id !== undefined && line.subject.id !== click.action_id) return false;
  if (line.event === 'decision.refused' && textIn(line, 'kind') !== click.kind) return false;
  const decisionId = textIn(line, 'decision_id');
  return click.decision_id === undefined || decisionId === '' || decisionId === click.decision_id;
}
