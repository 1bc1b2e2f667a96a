import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCard } from '../bot/blocks/card.ts';
import { startPostgres } from '../sandbox/postgres.ts';
import { startTemporal } from '../sandbox/temporal.ts';
import type { ActionView } from '../services/actions/action-view.ts';
import { requestAction } from '../services/actions/request-action.ts';
import { readCard, saveCard } from '../services/slack/cards.ts';
import type { BotStage } from '../test/integration/bot-stage.ts';
import { addServer, CHANNEL, openBotStage, TOKENS } from '../test/integration/bot-stage.ts';
import { WORKER_NAMESPACES } from '../test/support/stack.ts';

/** Whether the whole of what is promised is measured; else a smaller storm of the same density. */
export const isFull = process.argv.includes('--full');

const A_POST_MS = 1_100; // one a second and channel

/** The bot on a PostgreSQL and a Temporal of its own, and a Slack that keeps its limits strictly. */
export async function withSlackStage(
  options: { hasWorker: boolean },
  work: (stage: BotStage) => Promise<void>,
): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'medic-bench-postgres-'));
  const postgres = await startPostgres({ dataDir, isEphemeral: true });
  const temporal = await startTemporal({ moreNamespaces: WORKER_NAMESPACES });
  process.env['MEDIC_TEST_POSTGRES_URL'] = postgres.adminUrl;
  process.env['MEDIC_TEST_TEMPORAL_ADDRESS'] = temporal.address;
  try {
    const stage = await openBotStage({ ...options, workspace: { enforceRateLimits: { postBurst: 1 } } });
    stage.plane.config.approvalTimeoutMs = 30 * 60_000;
    stage.plane.config.startWithinMs = 60 * 60_000;
    try {
      await work(stage);
    } finally {
      await stage.stop();
    }
  } finally {
    await temporal.stop();
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export interface StagedAction {
  action: ActionView;
  server: Awaited<ReturnType<typeof addServer>>;
  ts: string;
}

/**
 * Actions that wait for approval, each on a server of its own, with cards that were posted before anything is
 * measured: at one a second that would be most of the bench.
 */
export async function stageCards(stage: BotStage, count: number): Promise<StagedAction[]> {
  const staged: StagedAction[] = [];
  for (let index = 0; index < count; index++) {
    const server = await addServer(stage, true);
    const input = { server: server.name, playbook: 'restart-service', params: { service: 'nginx' } };
    const action = await requestAction(stage.plane.ctx, stage.plane.asker('ana'), input);
    staged.push({ action, server, ts: await postCard(stage, action.id) });
  }
  await stage.plane.ctx.database.pool.query(`delete from slack_outbox`);
  await sleep(A_POST_MS); // the last of these counts against Slack's limit, too
  return staged;
}

async function postCard(stage: BotStage, actionId: string): Promise<string> {
  const action = await readCard(stage.plane.ctx, actionId);
  if (action === null) throw new Error(`no action ${actionId}`);
  stage.slack.limitRates(false);
  const response = await fetch(`${stage.slack.apiUrl}chat.postMessage`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKENS.botToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ channel: CHANNEL, ...createCard(action) }),
  });
  stage.slack.limitRates(true);
  const { ts } = (await response.json()) as { ts: string };
  await saveCard(stage.plane.ctx, { actionId, channel: CHANNEL, ts, permalink: null });
  return ts;
}

/** The value below which that share of them lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** Says what was measured against its limit, and remembers where one was missed: the exit code says so. */
export function report(what: string, measured: number, limit: number): void {
  const isMet = measured <= limit;
  console.log(`${isMet ? 'ok  ' : 'MISS'} ${what}: ${measured.toFixed(3)} (limit ${String(limit)})`);
  if (!isMet) process.exitCode = 1;
}
