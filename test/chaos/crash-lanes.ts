import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openJournal } from '../../agent/journal.ts';
import type { CrashPoint, DurableStep } from '../../domain/durable-step.ts';
import { signCheckpoint } from '../../protocol/checkpoint.ts';
import { generatePrivateKeyPem, importSigningKey } from '../../protocol/keys.ts';
import { createEmptyDatabase } from '../support/database.ts';
import { poll } from '../support/poll.ts';
import { CallRefused } from '../support/process-stack.ts';
import { createResult } from '../support/scripted-agent.ts';
import type { CrashStage } from './crash-stage.ts';
import { both, CHANNEL } from './crash-stage.ts';

/** Each lane kills one kind of process at all of its points, one after another; the lanes run side by side. */
type Lane = (stage: CrashStage) => Promise<void>;

const DAY_MS = 86_400_000;

/** A request that waits for a person. */
const askForWaiting = (stage: CrashStage): Promise<string> =>
  stage.request({ server: 'web-2', playbook: 'waiting-repair' });

/** The log is signed again, and its growth is told: a day passes, and something happens. */
async function passADay({ stack }: CrashStage): Promise<void> {
  const { pool } = stack.database;
  const pem = stack.env['MEDIC_SIGNING_KEY']?.replaceAll('\\n', '\n') ?? '';
  const { privateKey, publicKey } = await importSigningKey({ pem, source: 'the test' });
  const { rows } = await pool.query<{ count: number; head: string }>(
    `select seq::int as count, body::jsonb ->> 'hash' as head from audit_events order by seq desc limit 1`,
  );
  const { count = 0, head = '' } = rows[0] ?? {};
  const checkpoint = { count, head, at: new Date(Date.now() - DAY_MS).toISOString() };
  const jws = await signCheckpoint({ checkpoint, privateKey, kid: publicKey.kid });
  await pool.query(
    `insert into checkpoints (count, head, jws, signed_at) values ($1, $2, $3, now() - interval '1 day')
     on conflict do nothing`,
    [count, head, jws],
  );
  await pool.query('delete from audit_reports');
}

/** Runs into a refusal with this code, and nothing else. */
async function refusedAs(code: string, call: Promise<unknown>): Promise<void> {
  const refusal = await call.then(
    () => null,
    (error: unknown) => error,
  );
  if (refusal instanceof CallRefused && refusal.code === code) return;
  throw new Error(`not refused as ${code}`, { cause: refusal });
}

const apiLane: Lane = async (stage) => {
  const ask = (): Promise<unknown> => stage.request({ server: 'web-1', playbook: 'quick-repair', part: 'api' });
  const STEPS: DurableStep[] = [
    'idempotency.claim',
    'action.request',
    'workflow.start',
    'action.note_workflow',
    'idempotency.keep',
    'heartbeat.hear',
    'command.issue',
    'workflow.signal',
  ];
  for (const point of STEPS.flatMap(both)) await stage.die('api', point, ask);
  for (const point of both('idempotency.free')) {
    const body = { server: 'nobody', playbook: 'quick-repair', params: {} };
    const question = { by: 'ana', part: 'api', method: 'POST', path: '/api/v1/actions', body } as const;
    await stage.die('api', point, () => refusedAs('unknown_server', stage.ask(question)));
  }
  for (const point of both('token.touch')) {
    await stage.stack.database.pool.query('update api_tokens set last_used_at = null'); // a minute passes
    await stage.die('api', point, () => stage.ask({ by: 'ana', part: 'api', method: 'GET', path: '/api/v1/servers' }));
  }
  for (const point of both('config.load')) await stage.dieAtStart('api', point);
};

/** The same API, after it: the log of what happened. */
const auditLane: Lane = async (stage) => {
  for (const step of ['checkpoint.keep', 'audit.tell'] as const) {
    for (const point of both(step)) {
      await stage.die('api', point, async () => {
        await passADay(stage);
        await stage.request({ server: 'web-1', playbook: 'quick-repair' });
      });
    }
  }
};

/** The same API, after it: what people decide. */
const decisionLane: Lane = async (stage) => {
  const decisions = [
    ['decision.record:before', 'approve', 'bob'],
    ['decision.record:after', 'reject', 'bob'],
    ['workflow.decide:before', 'approve', 'cid'],
    ['workflow.decide:after', 'cancel', 'ana'],
  ] as const;
  for (const [point, kind, by] of decisions) {
    await stage.die('api', point, async () =>
      stage.decide({ id: await askForWaiting(stage), by, kind, server: 'web-2', part: 'api' }),
    );
  }
  for (const point of both('decision.refuse')) {
    await stage.die('api', point, async () => {
      const id = await askForWaiting(stage);
      await refusedAs('own_request', stage.decide({ id, by: 'ana', kind: 'approve', server: 'web-2', part: 'api' }));
      await stage.decide({ id, by: 'bob', kind: 'reject' });
    });
  }
  for (const point of both('action.end_changed')) {
    await stage.die('api', point, async () => {
      const id = await stage.request({ server: 'web-2', playbook: 'changing-repair' });
      const approval = stage.decide({ id, by: 'bob', kind: 'approve', server: 'web-2', part: 'api' });
      await refusedAs('playbook_changed', approval);
    });
  }
};

/** The same API: servers that are paused, and that come. */
const serverLane: Lane = async (stage) => {
  const { stack } = stage;
  await stack.enroll('web-8', 'api 2');
  const ask = { by: 'root', part: 'api' } as const;
  const { items } = (await stage.ask({ ...ask, method: 'GET', path: '/api/v1/servers' })) as {
    items: { id: string; name: string }[];
  };
  const path = `/api/v1/servers/${items.find(({ name }) => name === 'web-8')?.id ?? ''}`;
  const pause = (): Promise<unknown> =>
    stage.ask({ by: 'ana', part: 'api', method: 'PUT', path: `${path}/pause`, body: { reason: 'to look' } });
  const unpause = (): Promise<unknown> =>
    stage.ask({ by: 'ana', part: 'api', method: 'PUT', path: `${path}/unpause`, body: {} });
  for (const point of both('pause.begin')) await stage.die('api', point, pause);
  for (const point of both('pause.end')) await stage.die('api', point, async () => [await pause(), await unpause()]);
  const revoke = (): Promise<unknown> =>
    stage.ask({ by: 'root', part: 'api', method: 'POST', path: `${path}/revoke`, body: { reason: 'it was sold' } });
  for (const point of both('server.revoke')) await stage.die('api', point, revoke);
  const make = (): Promise<unknown> => makeEnrolmentToken(stage, 'web-8', 'api');
  for (const point of both('server.make_token')) await stage.die('api', point, make);
  stack.callsApi('web-8', 'api');
  for (const point of both('server.enroll')) {
    await stage.die('api', point, async () => {
      await stack.runAgent('web-8', ['enroll', '--token', await makeEnrolmentToken(stage, 'web-8', 'api 2')]);
    });
  }
  await stack.enroll('web-8', 'api 2'); // with a new token, as whoever lost the answer does
};

async function makeEnrolmentToken(stage: CrashStage, server: string, part: 'api' | 'api 2'): Promise<string> {
  const path = '/api/v1/servers/enrollment-tokens';
  const made = await stage.ask({ by: 'root', part, method: 'POST', path, body: { server_name: server } });
  return (made as { token?: string }).token ?? ''; // a repeated answer keeps no secret
}

const workerLane: Lane = async (stage) => {
  const ask = (): Promise<unknown> => stage.request({ server: 'web-6', playbook: 'quick-repair' });
  for (const step of ['action.approve_automatically', 'action.mark_executing', 'action.adopt_result'] as const) {
    for (const point of both(step)) await stage.die('worker', point, ask);
  }
  for (const point of both('decision.apply')) {
    await stage.die('worker', point, async () => {
      await stage.decide({ id: await askForWaiting(stage), by: 'bob', kind: 'approve', server: 'web-2' });
    });
  }
  for (const point of both('action.enforce_deadline')) {
    const askHastily = (): Promise<unknown> =>
      stage.request({ server: 'web-6', playbook: 'waiting-repair', part: 'api' }); // decided by nobody
    await stage.die('worker', point, askHastily);
  }
  for (const point of both('ladder.climb')) {
    const ids: string[] = [];
    const climb = async (): Promise<unknown> =>
      ids.push(await stage.request({ server: 'web-6', playbook: 'careful-repair' }));
    await stage.die('worker', point, climb);
    for (const id of ids) await stage.decide({ id, by: 'bob', kind: 'reject' });
  }
  for (const point of both('decision.settle')) await dieSettling(stage, point);
};

/** Two people decided while no worker was there: the first ends the action, the second hears that it is over. */
async function dieSettling(stage: CrashStage, point: CrashPoint): Promise<void> {
  await stage.stack.kill('worker 2');
  await stage.die('worker', point, async () => {
    await stage.stack.kill('worker');
    const id = await askForWaiting(stage);
    await stage.decide({ id, by: 'bob', kind: 'reject' });
    await stage.decide({ id, by: 'cid', kind: 'approve', server: 'web-2' });
    await stage.stack.restart('worker');
  });
  await stage.stack.restart('worker 2');
}

const botLane: Lane = async (stage) => {
  const ask = (): Promise<unknown> => stage.request({ server: 'web-4', playbook: 'loud-repair' });
  const STEPS: DurableStep[] = [
    'outbox.lease',
    'card.save',
    'slack.post',
    'outbox.pace',
    'outbox.settle',
    'slack.update',
    'outbox.note_intent',
    'slack.upload',
  ];
  for (const point of STEPS.flatMap(both)) await stage.die('bot', point, ask);
  for (const point of both('card.owe')) await stage.die('bot', point, () => tidyCardUp(stage));
};

/** Somebody deletes the card of what still waits: its next change finds it gone. */
async function tidyCardUp(stage: CrashStage): Promise<void> {
  const id = await stage.request({ server: 'web-4', playbook: 'waiting-repair' });
  const isCard = ({ metadata }: { metadata?: unknown }): boolean => JSON.stringify(metadata ?? '').includes(id);
  const card = await stage.slack.waitFor((slack) => slack.messages(CHANNEL).find(isCard), { timeoutMs: 60_000 });
  await stage.deleteMessage(card.ts);
  await stage.decide({ id, by: 'bob', kind: 'reject' });
}

/** The same bot, after it: batches and Homes. */
const surfaceLane: Lane = async (stage) => {
  const { slack } = stage;
  const ask = (): Promise<string> => stage.request({ server: 'web-4', playbook: 'batch-repair' });
  const findBatch = () =>
    slack.messages(CHANNEL).findLast(({ blocks }) => JSON.stringify(blocks ?? '').includes('medic_batch'));
  const tidyBatchUp = async (): Promise<void> => {
    await Promise.all([1, 2, 3, 4, 5].map(ask));
    const batch = await slack.waitFor(findBatch, { timeoutMs: 60_000 });
    await stage.deleteMessage(batch.ts);
    await ask();
  };
  for (const point of [...both('batch.save_card'), ...both('batch.owe_card')]) {
    await stage.die('bot', point, tidyBatchUp);
  }
  const openHome = async (): Promise<void> => {
    const isOpen = async (): Promise<boolean> => (await slack.openHome('U0ANA')).acknowledged;
    await poll('the bot to hear that a Home is opened', isOpen);
  };
  for (const step of ['slack.publish', 'home.open', 'home.save', 'home.claim'] as const) {
    for (const point of both(step)) await stage.die('bot', point, openHome);
  }
  for (const point of both('socket.report')) {
    await stage.die('bot', point, async () => {
      await slack.waitFor((workspace) => workspace.connections() > 0);
      slack.faults.disconnectSockets();
    });
  }
};

const agentLane: Lane = async (stage) => {
  const { stack } = stage;
  const ask = (): Promise<unknown> => stage.request({ server: 'web-3', playbook: 'quick-repair' });
  const STEPS: DurableStep[] = [
    'journal.intent',
    'process.spawn',
    'journal.started',
    'journal.exited',
    'journal.acknowledged',
  ];
  for (const point of STEPS.flatMap(both)) await stage.die('agent web-3', point, ask);
  for (const point of both('agent.session')) await stage.dieAtStart('agent web-3', point);
  for (const point of both('agent.witness')) {
    await stage.die('agent web-3', point, async () => {
      await passADay(stage);
      await ask();
    });
  }
  await stack.enroll('web-5', 'api 2');
  await stack.restart('agent web-5');
  for (const point of both('agent.key')) {
    await stage.die('agent web-5', point, async () => {
      await stack.runAgent('web-5', ['rotate-key']);
      await stage.request({ server: 'web-5', playbook: 'quick-repair' });
    });
  }
  for (const point of both('journal.compact')) {
    await stack.kill('agent web-5');
    await fillJournal(join(stack.agentDir('web-5'), 'journal.jsonl'));
    await stack.restart('agent web-5');
    await stage.die('agent web-5', point, () => stage.request({ server: 'web-5', playbook: 'quick-repair' }));
  }
};

/** What a busy agent has after months: more than it keeps, all of it told. */
async function fillJournal(path: string): Promise<void> {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  const journal = await openJournal(path);
  const stdout = randomBytes(32_768).toString('hex');
  for (let number = 0; number < 17 * 16; number++) {
    const command_id = randomBytes(16).toString('hex');
    const command = { command_id, attempt: 1 } as Parameters<typeof createResult>[0];
    await journal.append([
      {
        kind: 'received',
        command_id,
        attempt: 1,
        kid: 'an-older-key',
        seq: number + 1,
        at: '2026-01-01T00:00:00.000Z',
      },
      { kind: 'exited', command_id, result: createResult(command, { stdout }) as never },
      { kind: 'acknowledged', command_id },
    ]);
  }
  await journal.close();
}

/** What a person starts and what dies under their hands: they do it again. */
const commandLane: Lane = async (stage) => {
  const { stack } = stage;
  const killOnce = async (args: readonly string[], step: DurableStep, env: Record<string, string> = {}) => {
    for (const point of both(step)) {
      await stage.dieOnce(point, () => stack.runMedic(args, { crashAt: point, env }));
    }
  };
  await killOnce(['token', 'create', '--principal', 'eve', '--role', 'auditor'], 'token.create');
  const listed = await stack.runMedic(['token', 'list', '--json']);
  const [first = '{}'] = listed
    .printed()
    .split('\n')
    .filter((line) => line.includes('"eve"'));
  await killOnce(['token', 'revoke', (JSON.parse(first) as { id: string }).id], 'token.revoke');
  await killOnce(['principal', 'totp', 'cid', '--replace'], 'totp.enroll');
  await killKeyChanges(stage, killOnce);
  const empty = await createEmptyDatabase();
  await killOnce(['migrate', 'up'], 'schema.migrate', { DATABASE_URL: empty.url });
  await empty.drop();
  await killEnrolments(stage);
};

/** A key is added and retired again, while agents work: it never signs. */
async function killKeyChanges(
  { stack }: CrashStage,
  killOnce: (args: readonly string[], step: DurableStep) => Promise<void>,
): Promise<void> {
  const pem = generatePrivateKeyPem();
  const file = join(stack.folder, 'next-signing-key.pem');
  writeFileSync(file, pem, { mode: 0o600 });
  const { kid } = (await importSigningKey({ pem, source: file })).publicKey;
  await killOnce(['keys', 'add', file], 'command_keys.add');
  await killOnce(['keys', 'retire', kid], 'command_keys.retire');
}

/** An agent that is made and dies on the way; each new try begins with a new token, as its own may be used up. */
async function killEnrolments(stage: CrashStage): Promise<void> {
  const { stack } = stage;
  stack.callsApi('web-7', 'api 2');
  for (const point of (['agent.next_key', 'agent.key', 'agent.enrolment'] as const).flatMap(both)) {
    const token = await makeEnrolmentToken(stage, 'web-7', 'api 2');
    await stage.dieOnce(point, () => stack.runAgent('web-7', ['enroll', '--token', token], point));
  }
  for (const point of both('agent.allow_file')) {
    await stage.dieOnce(point, () => stack.runAgent('web-7', ['allow', 'quick-repair'], point));
  }
  await stack.enroll('web-7', 'api 2');
  await stack.restart('agent web-7');
  await stage.request({ server: 'web-7', playbook: 'quick-repair' });
}

/** One kill at each point, and what they interrupted carried on; nothing is judged yet. */
export async function killAtEachPoint(stage: CrashStage): Promise<void> {
  const inOrder = async (...lanes: readonly Lane[]): Promise<void> => {
    for (const lane of lanes) await lane(stage);
  };
  await Promise.all([
    inOrder(apiLane, auditLane, decisionLane, serverLane),
    inOrder(workerLane),
    inOrder(botLane, surfaceLane),
    inOrder(agentLane),
    inOrder(commandLane),
  ]);
  await stage.settled();
}
