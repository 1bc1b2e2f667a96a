import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createManifest } from '../../bot/manifest.ts';
import type { CrashPoint, DurableStep } from '../../domain/durable-step.ts';
import type { Click } from '../checker/evidence.ts';
import { startSlackWorkspace } from '../../sandbox/slack/workspace.ts';
import type { SlackWorkspace } from '../../sandbox/slack/workspace.ts';
import type { Call } from '../support/api-caller.ts';
import { askUntilAnswered } from '../support/api-caller.ts';
import { stepOf } from '../support/process-folder.ts';
import type { Places, Playbooks } from '../support/process-folder.ts';
import { startProcessStack } from '../support/process-stack.ts';
import type { ActionJson, Part, ProcessName, ProcessStack } from '../support/process-stack.ts';

export const CHANNEL = 'C0MEDIC';
export const TOKENS = { botToken: 'xoxb-test', appToken: 'xapp-test', signingSecret: 'secret' };
export const PATIENCE_MS = 180_000; // for what takes a second on a machine with nothing else to do
const AGAIN_MS = 10_000; // a way to a point that another kill cut off is gone again
const PEOPLE = { ana: 'operator', bob: 'approver', cid: 'approver', root: 'admin', eve: 'auditor' } as const;
export type Person = keyof typeof PEOPLE;

/** The whole of Medic in processes, each to be killed at its crash points while the others go on. */
export interface CrashStage {
  stack: ProcessStack;
  slack: SlackWorkspace;
  /** Where somebody died, and who. */
  killed: Map<CrashPoint, string>;
  /** Why somebody did not die where they were to. */
  missed: Map<CrashPoint, string>;
  /** Ids of what was asked for and answered. */
  accepted: string[];
  /** What people were told was done, or recorded. */
  clicks: Click[];
  /** Kills the process at the point, on the way that `trigger` leads there, and starts it again. */
  die(name: ProcessName, point: CrashPoint, trigger: () => Promise<unknown>): Promise<void>;
  /** The same where the way there is its own start. */
  dieAtStart(name: ProcessName, point: CrashPoint): Promise<void>;
  /** The same of a command that a person runs; `run` rejects where it did not die there. */
  dieOnce(point: CrashPoint, run: () => Promise<unknown>): Promise<void>;
  /** Once it is known that it died at the point: the leases of the dead run out, it is started and noted. */
  revive(name: ProcessName, point: CrashPoint): Promise<void>;
  /** What only time would do: the leases of a dead process run out. */
  endLeases(name: ProcessName): Promise<void>;
  /** One call under one key, repeated until it is answered; rejects with CallRefused. */
  ask(input: Question): Promise<unknown>;
  request(input: { server: string; playbook: string; part?: Part }): Promise<string>;
  /** `server`: its name, typed by who approves. */
  decide(input: {
    id: string;
    by: Person;
    kind: 'approve' | 'reject' | 'cancel';
    server?: string;
    part?: Part;
  }): Promise<unknown>;
  /** What the triggers still wait for; rejects with what they did. */
  settled(): Promise<void>;
  deleteMessage(ts: string): Promise<void>;
  stop(): Promise<void>;
}

export interface Question {
  by: Person;
  part?: Part;
  method: string;
  path: string;
  body?: object;
}

/** With CHAOS_TRACE: what happens, as it happens. */
export function tell(what: string): void {
  if (process.env['CHAOS_TRACE'] !== undefined) process.stderr.write(`${new Date().toISOString()} ${what}\n`);
}

export const both = (step: DurableStep): CrashPoint[] => [`${step}:before`, `${step}:after`];

const MEDIC_YAML = `version: 1
approval_timeout: 10m
principals:
  ana: { slack_user_id: U0ANA, roles: [operator, approver] }
  bob: { slack_user_id: U0BOB, roles: [operator, approver] }
  cid: { slack_user_id: U0CID, roles: [approver] }
  eve: { roles: [auditor] }
  root: { roles: [admin] }
limits: { hold_back_after: { failing-repair: 1, "*": 0 } }
rules:
  - when: { playbook: [careful-repair] }
    approvals: 1
    escalate:
      - { after: 1s, remind: thread }
  - when: { playbook: [waiting-repair, changing-repair, halted-repair, weighed-repair] }
    approvals: 1
  - approvals: 0
`;

/** Of high risk, so that they share no card; those of `batch-repair` do. */
function describePlaybooks(marks: Pick<Places, 'marker' | 'gate'>): Playbooks {
  const quick = { title: 'A repair', risk: 'high', timeout: '1m', steps: [stepOf(marks, { takesMs: 0 })] };
  return {
    'quick-repair': quick,
    'careful-repair': quick,
    'waiting-repair': quick,
    'changing-repair': quick,
    'halted-repair': quick,
    'failing-repair': { ...quick, steps: [stepOf(marks, { takesMs: 0 }), { run: ['/bin/false'] }] },
    'batch-repair': { ...quick, risk: 'low' },
    'loud-repair': { ...quick, steps: [stepOf(marks, { takesMs: 0, prints: 9_000 })] },
    'slow-repair': { ...quick, risk: 'low', steps: [stepOf(marks, { takesMs: 400 })] },
    'long-repair': { ...quick, risk: 'low', steps: [stepOf(marks, { takesMs: 3_000 })] },
    'weighed-repair': { ...quick, risk: 'low', steps: [stepOf(marks, { takesMs: 400 })] },
  };
}

/** What `api` alone is given: undecided requests end within seconds, and one playbook is another. */
function prepareHastyApi({ folder, configDir }: Places): Partial<Record<Part, Readonly<Record<string, string>>>> {
  const hasty = join(folder, 'config-hasty');
  cpSync(configDir, hasty, { recursive: true });
  writeFileSync(join(hasty, 'medic.yaml'), MEDIC_YAML.replace('approval_timeout: 10m', 'approval_timeout: 3s'));
  const changing = join(hasty, 'playbooks', 'changing-repair.yaml');
  writeFileSync(changing, readFileSync(changing, 'utf8').replace('A repair', 'Another repair'));
  return { api: { MEDIC_CONFIG: hasty } };
}

export async function openCrashStage(): Promise<CrashStage> {
  const manifest = createManifest({ mode: 'socket' });
  const slack = await startSlackWorkspace({ port: 0, ...TOKENS, manifest });
  try {
    const stack = await startProcessStack({
      parts: ['api', 'api 2', 'worker', 'worker 2', 'bot'],
      servers: { 'web-1': 'api', 'web-2': 'api 2', 'web-3': 'api 2', 'web-4': 'api 2', 'web-6': 'api 2' },
      medicYaml: MEDIC_YAML,
      playbooks: describePlaybooks,
      prepare: prepareHastyApi,
      env: {
        SLACK_BOT_TOKEN: TOKENS.botToken,
        SLACK_APP_TOKEN: TOKENS.appToken,
        SLACK_API_URL: slack.apiUrl,
        MEDIC_SLACK_CHANNEL: CHANNEL,
      },
    });
    await forgetPace(stack);
    return assemble(stack, slack);
  } catch (error) {
    await slack.stop();
    throw error;
  }
}

/** How fast Slack may be told is tried elsewhere: here all that is owed is sent at once. */
async function forgetPace({ database }: ProcessStack): Promise<void> {
  await database.pool.query(
    `create function forget_pace() returns trigger language plpgsql as
       $$ begin new.sent_ms := '[]'; return new; end $$;
     create trigger forget_pace before insert or update on slack_lanes
       for each row execute function forget_pace()`,
  );
}

function assemble(stack: ProcessStack, slack: SlackWorkspace): CrashStage {
  const begun: Promise<unknown>[] = [];
  const calls = new Map<string, Promise<Call>>();
  const callOf = ({ by, part = 'api 2' }: Question): Promise<Call> => {
    const name = `${by} ${part}`;
    const call = calls.get(name) ?? stack.as({ principal: by, role: PEOPLE[by], part });
    calls.set(name, call);
    return call;
  };
  const stage: CrashStage = {
    stack,
    slack,
    killed: new Map(),
    missed: new Map(),
    accepted: [],
    clicks: [],
    die: (name, point, trigger) =>
      die(stage, { name, point }, () => {
        const way = trigger();
        way.catch(() => undefined); // told by settled()
        begun.push(way);
        return way;
      }),
    dieAtStart: (name, point) =>
      noteMiss(stage, { name, point }, async () => {
        stack.arm(name, point);
        await stack.kill(name);
        await stack.restart(name);
        await stack.crashed(name, point);
        await stage.revive(name, point);
      }),
    dieOnce: async (point, run) => {
      try {
        await run();
        stage.killed.set(point, 'command');
        tell(`a command died at ${point}`);
      } catch (error) {
        stage.missed.set(point, String(error));
        tell(`MISSED ${point}: ${String(error)}`);
      }
    },
    revive: async (name, point) => {
      await stage.endLeases(name);
      await stack.restart(name);
      stage.killed.set(point, name);
      stage.missed.delete(point);
      tell(`${name} died at ${point} and is back`);
    },
    endLeases: (name) => endLeases(stack, name),
    ask: async (question) => askUntilAnswered(await callOf(question), question),
    request: async ({ server, playbook, part }) => {
      const body = { server, playbook, params: {} };
      const question: Question = { by: 'ana', method: 'POST', path: '/api/v1/actions', body };
      const { id } = (await stage.ask(part === undefined ? question : { ...question, part })) as ActionJson;
      stage.accepted.push(id);
      stage.clicks.push({ action_id: id, kind: 'request', who: 'ana', at: new Date().toISOString() });
      return id;
    },
    decide: async ({ id, by, kind, server, part }) => {
      const reason = 'to see what comes of it';
      const body = kind === 'approve' && server !== undefined ? { reason, confirm_server: server } : { reason };
      const question: Question = { by, method: 'POST', path: `/api/v1/actions/${id}/${kind}`, body };
      const answer = await stage.ask(part === undefined ? question : { ...question, part });
      stage.clicks.push({ action_id: id, kind, who: by, at: new Date().toISOString() });
      return answer;
    },
    settled: async () => void (await Promise.all(begun)),
    deleteMessage: (ts) => deleteMessage(slack, ts),
    stop: async () => {
      await stack.stop();
      await slack.stop();
    },
  };
  return stage;
}

async function die(
  stage: CrashStage,
  { name, point }: { name: ProcessName; point: CrashPoint },
  trigger: () => Promise<unknown>,
): Promise<void> {
  tell(`${name} is to die at ${point}`);
  await noteMiss(stage, { name, point }, async () => {
    stage.stack.arm(name, point);
    const dead = stage.stack.crashed(name, point).then(() => true);
    for (let isDead = false; !isDead;) {
      const again = (): Promise<boolean> => delay(AGAIN_MS, false, { ref: false });
      isDead = await Promise.race([dead, trigger().then(again, again)]);
    }
    await stage.revive(name, point);
  });
}

/** One point that is not reached is one test that fails: the others are tried all the same. */
async function noteMiss(
  stage: CrashStage,
  { name, point }: { name: ProcessName; point: CrashPoint },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    tell(`MISSED ${why}`);
    stage.missed.set(point, why);
    stage.stack.disarm(name);
    await stage.stack.kill(name);
    await stage.endLeases(name);
    await stage.stack.restart(name);
  }
}

async function endLeases({ database }: ProcessStack, name: ProcessName): Promise<void> {
  if (name === 'bot') {
    // whoever holds a row now lives: it is passed by, as two that lock many rows could wait for each other
    await database.pool.query(
      `update slack_outbox set leased_until = null where id in (
         select id from slack_outbox where sent_at is null and leased_until is not null for update skip locked)`,
    );
  }
  if (name.startsWith('api')) {
    const past = `to_jsonb(clock_timestamp() - interval '1 hour')`;
    await database.pool.query(
      `update idempotency_keys set answer = jsonb_set(answer, '{leased_at}', ${past}) where status is null`,
    );
  }
}

/** As a person does who tidies the channel up. */
async function deleteMessage(slack: SlackWorkspace, ts: string): Promise<void> {
  await fetch(`${slack.apiUrl}chat.delete`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKENS.botToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ channel: CHANNEL, ts }),
  });
}
