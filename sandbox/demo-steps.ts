import { DemoFailure } from './demo-failure.ts';
import { listAudit } from '../services/audit/read-audit.ts';
import { listActions } from '../services/actions/read-actions.ts';
import type { ActionView } from '../services/actions/action-view.ts';
import type { Asker } from '../domain/principal.ts';
import { verifyChain } from '../protocol/audit-chain.ts';
import type { Sandbox } from './sandbox.ts';
import { SANDBOX_CHANNEL, writeSandboxConfig } from './sandbox-config.ts';
import type { SlackWorkspace, StoredMessage } from './slack/workspace.ts';

const ANA = 'U0ANA';
const BOB = 'U0BOB';
const CID = 'U0CID';
const PATIENCE_MS = 30_000; // a machine with two slow cores; nothing is waited for longer than it takes

type Facts = Record<string, unknown> & { told: string };

/** The steps of the contract (§1) between `setup` and `teardown`: each plays people in Slack and proves what followed. */
export const DEMO_STEPS: readonly (readonly [string, (sandbox: Sandbox) => Promise<Facts>])[] = [
  ['auto_approve', playAutoApprove],
  ['approve', playApprove],
  ['failure', playFailure],
  ['reject', playReject],
  ['expire', playExpire],
  ['audit', playAudit],
];

/** A normal server: what was asked for runs at once, approved by `auto`, and a broken service answers again. */
async function playAutoApprove(sandbox: Sandbox): Promise<Facts> {
  await breakAndProve(sandbox, 'shop');
  const card = await ask(sandbox, { by: ANA, text: 'restart-service web-1 service=shop reason="shop is down"' });
  await waitForCard(sandbox, { ts: card.ts, status: 'completed' });
  const action = await findAction(sandbox, card);
  prove(action.approvedBy === 'auto', `approved by ${String(action.approvedBy)}, not by auto`);
  prove(action.exitCode === 0, `exit code ${String(action.exitCode)}`);
  await proveHealthy(sandbox, 'shop');
  return { action: action.id, told: 'ana asked, auto approved, and shop on web-1 answers again' };
}

/** A paused server: the card waits, the requester's own click is refused, another person's click runs it. */
async function playApprove(sandbox: Sandbox): Promise<Facts> {
  const slack = slackOf(sandbox);
  await say(sandbox, { by: BOB, text: 'pause web-2 reason="looking into it"' });
  await breakAndProve(sandbox, 'till');
  const card = await ask(sandbox, { by: ANA, text: 'restart-service web-2 service=till' });
  await waitForCard(sandbox, { ts: card.ts, status: 'pending' });
  const before = slack.ephemerals(ANA).length;
  await slack.click({ user: ANA, channel: SANDBOX_CHANNEL, ts: card.ts, actionId: 'medic_approve' });
  await slack.waitFor((workspace) => workspace.ephemerals(ANA).length > before, { what: 'the refusal' });
  prove((await findAction(sandbox, card)).status === 'pending', 'the requester could approve');
  await slack.click({ user: BOB, channel: SANDBOX_CHANNEL, ts: card.ts, actionId: 'medic_approve' });
  const ended = await waitForCard(sandbox, { ts: card.ts, status: 'completed' });
  const action = await findAction(sandbox, card);
  prove(action.approvedBy === 'bob', `approved by ${String(action.approvedBy)}, not by bob`);
  const shown = JSON.stringify(ended.blocks);
  prove(/bob/.test(shown) && /exit code 0|exit 0/i.test(shown), 'the card does not say who approved and how it ended');
  await proveHealthy(sandbox, 'till');
  return {
    action: action.id,
    told: 'ana could not approve her own request, bob could, and till on web-2 answers again',
  };
}

/** A playbook that fails: a new message in the channel says so. */
async function playFailure(sandbox: Sandbox): Promise<Facts> {
  const slack = slackOf(sandbox);
  const card = await ask(sandbox, { by: ANA, text: 'fail-on-purpose web-1' });
  await waitForCard(sandbox, { ts: card.ts, status: 'failed' });
  const id = actionIdOf(card);
  const isNotice = (message: StoredMessage): boolean => message.ts !== card.ts && actionIdOf(message) === id;
  await slack.waitFor((workspace) => workspace.messages(SANDBOX_CHANNEL).find(isNotice), {
    what: 'the failure notification',
    timeoutMs: PATIENCE_MS,
  });
  const action = await findAction(sandbox, card);
  prove(action.status === 'failed' && action.exitCode !== 0, `it ended as ${action.status}`);
  return { action: action.id, told: `it failed with exit code ${String(action.exitCode)}, and the channel was told` };
}

async function playReject(sandbox: Sandbox): Promise<Facts> {
  const slack = slackOf(sandbox);
  const card = await ask(sandbox, { by: ANA, text: 'restart-service web-2 service=till' });
  await slack.click({ user: CID, channel: SANDBOX_CHANNEL, ts: card.ts, actionId: 'medic_reject' });
  const view = await slack.waitFor((workspace) => workspace.openViews(CID)[0], { what: 'the form for the reason' });
  await slack.submitView({ user: CID, viewId: view.id, values: { reason: { reason: 'Not during the sale.' } } });
  await waitForCard(sandbox, { ts: card.ts, status: 'rejected' });
  const action = await findAction(sandbox, card);
  prove(action.rejectionReason === 'Not during the sale.', 'the reason was lost');
  return { action: action.id, told: 'cid rejected it, with a reason' };
}

async function playExpire(sandbox: Sandbox): Promise<Facts> {
  writeSandboxConfig(sandbox.configDir, { approvalTimeout: '2s', hasLadder: false });
  await sandbox.controlPlane.ctx.config.reload();
  const card = await ask(sandbox, { by: ANA, text: 'restart-service web-2 service=till' });
  await waitForCard(sandbox, { ts: card.ts, status: 'expired' });
  const action = await findAction(sandbox, card);
  prove(action.failureCode === 'approval_timeout', `it expired as ${String(action.failureCode)}`);
  return { action: action.id, told: 'nobody decided in time, so nothing was run' };
}

async function playAudit(sandbox: Sandbox): Promise<Facts> {
  const auditor = createReader(['auditor']);
  const lines: unknown[] = [];
  for (let after: string | undefined; ;) {
    const page = await listAudit(sandbox.controlPlane.ctx, auditor, { after, limit: 200 });
    lines.push(...page.items);
    if (page.next === null) break;
    after = page.next;
  }
  const verdict = await verifyChain(lines.map((line) => JSON.stringify(line)));
  prove(verdict.isIntact, `the audit log is broken: ${JSON.stringify(verdict)}`);
  prove(lines.length > 0, 'the audit log is empty');
  return { events: lines.length, told: `${lines.length} audit events, each chained to the one before` };
}

/** Types a command and waits for the card of the action that it asked for. */
async function ask(sandbox: Sandbox, input: { by: string; text: string }): Promise<StoredMessage> {
  const slack = slackOf(sandbox);
  const known = new Set(slack.messages(SANDBOX_CHANNEL).map(({ ts }) => ts));
  await say(sandbox, input);
  const isNew = (message: StoredMessage): boolean => !known.has(message.ts) && actionIdOf(message) !== undefined;
  return slack.waitFor((workspace) => workspace.messages(SANDBOX_CHANNEL).find(isNew), {
    what: `a card for “${input.text}”`,
    timeoutMs: PATIENCE_MS,
  });
}

async function say(sandbox: Sandbox, { by, text }: { by: string; text: string }): Promise<void> {
  const slack = slackOf(sandbox);
  const outcome = await slack.slashCommand({ user: by, channel: SANDBOX_CHANNEL, command: '/remediate', text });
  prove(outcome.acknowledged, `Slack shows ${String(outcome.error)} for “/remediate ${text}”`);
}

function waitForCard(sandbox: Sandbox, input: { ts: string; status: string }): Promise<StoredMessage> {
  return slackOf(sandbox).waitFor(
    (workspace) =>
      workspace
        .messages(SANDBOX_CHANNEL)
        .find((message) => message.ts === input.ts && statusOf(message) === input.status),
    { what: `the card as ${input.status}`, timeoutMs: PATIENCE_MS },
  );
}

async function findAction(sandbox: Sandbox, card: StoredMessage): Promise<ActionView> {
  const { items } = await listActions(sandbox.controlPlane.ctx, createReader(['viewer']), { limit: 50 });
  const action = items.find(({ id }) => id === actionIdOf(card));
  if (action === undefined) throw new DemoFailure('The card names an action that the record does not hold.');
  return action;
}

function createReader(roles: Asker['roles']): Asker {
  return { principal: { name: 'demo', roles, slackUserId: null, groups: [] }, roles, via: 'cli' };
}

async function breakAndProve(sandbox: Sandbox, service: string): Promise<void> {
  await sandbox.trial.breakService(service, 'kill');
  prove(!(await sandbox.trial.isHealthy(service)), `${service} still answers after it was broken`);
}

async function proveHealthy(sandbox: Sandbox, service: string): Promise<void> {
  prove(await sandbox.trial.isHealthy(service), `${service} does not answer again`);
}

function slackOf({ slack }: Sandbox): SlackWorkspace {
  if (slack === null) throw new DemoFailure('The demo plays on the Slack stand-in, and it was not started.');
  return slack;
}

interface ActionMetadata {
  event_payload?: { action_id?: string; status?: string };
}

function actionIdOf(message: StoredMessage): string | undefined {
  return (message.metadata as ActionMetadata | undefined)?.event_payload?.action_id;
}

function statusOf(message: StoredMessage): string | undefined {
  return (message.metadata as ActionMetadata | undefined)?.event_payload?.status;
}

function prove(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new DemoFailure(`Not proved: ${otherwise}.`);
}
