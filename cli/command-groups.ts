import type { Command } from 'commander';
import type { RawEnvironment } from '../services/config/environment.ts';

export interface CommandInput {
  /** Of the process, frozen. Read when the command runs, so that `--help` works without any setting. */
  env: RawEnvironment;
  /** Where the command ends otherwise than done without an error to tell. */
  setExitCode: (code: number) => void;
}

export interface CommandModule {
  createCommand(input: CommandInput): Command;
}

export interface CommandGroup {
  name: string;
  summary: string;
  load(): Promise<CommandModule>;
}

/** One line and one file in commands/ for each subcommand of the contract (§2). */
export const COMMAND_GROUPS: readonly CommandGroup[] = [
  { name: 'up', summary: 'all in one; embedded where nothing is configured', load: () => import('./commands/up.ts') },
  { name: 'server', summary: 'API, bot and worker in one process', load: () => import('./commands/server.ts') },
  { name: 'api', summary: 'the HTTP API', load: () => import('./commands/api.ts') },
  { name: 'bot', summary: 'the Slack bot', load: () => import('./commands/bot.ts') },
  { name: 'worker', summary: 'the workflows and their activities', load: () => import('./commands/worker.ts') },
  { name: 'migrate', summary: 'the database schema: up, down, status', load: () => import('./commands/migrate.ts') },
  { name: 'token', summary: 'API tokens: create, list, revoke', load: () => import('./commands/token.ts') },
  { name: 'keys', summary: 'keys that sign commands: list, add, retire', load: () => import('./commands/keys.ts') },
  { name: 'principal', summary: 'one-time codes of a principal: totp', load: () => import('./commands/principal.ts') },
  {
    name: 'action',
    summary: 'request, list, show, why, approve, reject, cancel, replay',
    load: () => import('./commands/action.ts'),
  },
  {
    name: 'dead-letters',
    summary: 'what was given up on: list, show, replay, dismiss',
    load: () => import('./commands/dead-letters.ts'),
  },
  { name: 'halt', summary: 'nothing starts any more: halt, list, lift', load: () => import('./commands/halt.ts') },
  { name: 'servers', summary: 'list, pause, unpause, enroll, revoke', load: () => import('./commands/servers.ts') },
  { name: 'queue', summary: 'what waits, why, and how full each limit is', load: () => import('./commands/queue.ts') },
  { name: 'audit', summary: 'the audit log: export, verify', load: () => import('./commands/audit.ts') },
  {
    name: 'agent',
    summary: 'on a server: enroll, run, check, allow, polkit',
    load: () => import('./commands/agent.ts'),
  },
  { name: 'playbook', summary: 'list, show, validate, run --dry-run', load: () => import('./commands/playbook.ts') },
  { name: 'slack', summary: 'the Slack app: manifest', load: () => import('./commands/slack.ts') },
  { name: 'doctor', summary: 'checks the configuration, one line each', load: () => import('./commands/doctor.ts') },
];
