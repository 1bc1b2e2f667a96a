import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openJournal } from '../../agent/journal.ts';
import type { DurableStep } from '../../domain/durable-step.ts';
import { generatePrivateKeyPem, importSigningKey } from '../../protocol/keys.ts';
import { createEmptyDatabase } from '../support/database.ts';
import { createResult } from '../support/scripted-agent.ts';
import type { CrashStage } from './crash-stage.ts';
import { both } from './crash-stage.ts';
import type { Walk } from './walk.ts';
import { makeEnrolmentToken, passADay } from './walk.ts';
import { FILLER } from './run-record.ts';

const agentWalk: Walk = async (stage) => {
  const ask = (): Promise<unknown> => stage.request({ server: 'web-3', playbook: 'quick-repair' });
  const STEPS: DurableStep[] = [
    'journal.intent',
    'agent.fence',
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
};

/** Another agent: its key, and what it keeps on its disk. */
const diskWalk: Walk = async (stage) => {
  const { stack } = stage;
  const name = 'agent web-5';
  const journal = join(stack.agentDir('web-5'), 'journal.jsonl');
  const ask = (): Promise<unknown> => stage.request({ server: 'web-5', playbook: 'quick-repair' });
  await stack.enroll('web-5', 'api 2');
  await stack.restart(name);
  for (const point of both('agent.key')) {
    await stage.die(name, point, async () => {
      await stack.runAgent('web-5', ['rotate-key']);
      await ask();
    });
  }
  for (const point of both('journal.open')) await stage.dieAtStart(name, point);
  for (const point of both('agent.reserve')) {
    await stack.kill(name);
    rmSync(join(stack.agentDir('web-5'), 'reserve'), { force: true });
    await stage.dieAtStart(name, point);
  }
  for (const point of both('journal.compact')) {
    await stack.kill(name);
    await fillJournal(journal);
    await stack.restart(name);
    await stage.die(name, point, ask);
  }
  for (const point of both('journal.mend')) {
    await stack.kill(name);
    spoilJournal(journal);
    await stage.dieAtStart(name, point);
  }
  for (const point of both('journal.damage_told')) {
    await stack.kill(name);
    spoilJournal(journal);
    let back: Promise<void> | undefined;
    await stage.die(name, point, async () => {
      await (back ??= stack.restart(name)); // what was asked wakes the heartbeat that hears of it
      await ask();
    });
  }
};

/** A line that cannot be read, and after it all that could be read before. */
function spoilJournal(path: string): void {
  writeFileSync(path, `spoilt\n${readFileSync(path, 'utf8')}`);
}

/** What a busy agent has after months: more than it keeps, all of it told. */
async function fillJournal(path: string): Promise<void> {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  const journal = await openJournal(path);
  const stdout = randomBytes(32_768).toString('hex');
  for (let number = 0; number < 17 * 16; number++) {
    const command_id = `${FILLER}${randomBytes(16).toString('hex')}`;
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
const commandWalk: Walk = async (stage) => {
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

export const AGENT_WALKS: readonly Walk[] = [agentWalk, diskWalk];
export const COMMAND_WALKS: readonly Walk[] = [commandWalk];
