/**
 * Everything that outlives a process, by name: a committed transaction, a call that Temporal or Slack keeps, a record on
 * an agent's disk. A name stands for two crash points, `before` (nothing of it lasts) and `after` (all of it does, and
 * nobody was told). A write without a name does not compile, or fails test/unit/durable-steps.test.ts.
 */
export const DURABLE_STEPS = [
  'action.request',
  'action.end_changed',
  'action.approve_automatically',
  'action.enforce_deadline',
  'action.mark_executing',
  'action.adopt_result',
  'action.note_workflow',
  'audit.tell',
  'batch.owe_card',
  'batch.save_card',
  'card.owe',
  'card.save',
  'checkpoint.keep',
  'command.issue',
  'command_keys.add',
  'command_keys.retire',
  'config.load',
  'dead_letter.dismiss',
  'decision.apply',
  'decision.record',
  'decision.refuse',
  'decision.settle',
  'halt.declare',
  'halt.lift',
  'halt.show',
  'heartbeat.hear',
  'home.claim',
  'home.open',
  'home.save',
  'idempotency.claim',
  'idempotency.keep',
  'idempotency.free',
  'ladder.climb',
  'outbox.lease',
  'outbox.note_intent',
  'outbox.pace',
  'outbox.settle',
  'pause.begin',
  'pause.end',
  'server.enroll',
  'server.make_token',
  'server.revoke',
  'schema.migrate',
  'slack.post',
  'slack.publish',
  'slack.update',
  'slack.upload',
  'socket.report',
  'token.create',
  'token.revoke',
  'token.touch',
  'totp.enroll',
  'workflow.decide',
  'workflow.signal',
  'workflow.start',
  'journal.open',
  'journal.mend',
  'journal.intent',
  'agent.fence',
  'process.spawn',
  'journal.started',
  'journal.exited',
  'journal.acknowledged',
  'journal.compact',
  'journal.damage_told',
  'agent.reserve',
  'agent.witness',
  'agent.session',
  'agent.next_key',
  'agent.key',
  'agent.enrolment',
  'agent.allow_file',
] as const;

export type DurableStep = (typeof DURABLE_STEPS)[number];
export type CrashPoint = `${DurableStep}:${'before' | 'after'}`;

const HOOK = Symbol.for('medic.crash_point');

/** Where a test may end the process. Nothing in Medic sets the hook, so that without a test it is one lookup. */
export function passCrashPoint(point: CrashPoint): void {
  (globalThis as { [HOOK]?: (point: CrashPoint) => void })[HOOK]?.(point);
}

/** One write that lasts once it settles, between its two crash points. */
export async function durably<T>(step: DurableStep, write: () => Promise<T>): Promise<T> {
  passCrashPoint(`${step}:before`);
  const written = await write();
  passCrashPoint(`${step}:after`);
  return written;
}
