import { createHash } from 'node:crypto';
import { checkParams } from '../playbook/params.ts';
import { previewSteps } from '../playbook/render.ts';
import type { CommandPayload, CommandResult } from '../protocol/messages.ts';
import type { Execution } from './execute.ts';
import type { Plan } from './judge-command.ts';

const EMPTY_DIGEST = digestOf('');

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`;
}

function noOutput() {
  return {
    stdout: '',
    stderr: '',
    stdout_bytes: 0,
    stderr_bytes: 0,
    truncated: false,
    stdout_sha256: EMPTY_DIGEST,
    stderr_sha256: EMPTY_DIGEST,
  };
}

/** `reason` becomes the text on stderr: the person who asked should read why. */
export function buildRefusal(input: {
  commandId: string;
  attempt: number;
  code: string;
  at: string;
  reason: string;
}): CommandResult {
  const text = input.reason === '' ? '' : `medic: ${input.reason}\n`;
  return {
    command_id: input.commandId,
    attempt: input.attempt,
    status: 'refused',
    exit_code: null,
    signal: null,
    started_at: null,
    finished_at: input.at,
    ...noOutput(),
    stderr: text,
    stderr_bytes: Buffer.byteLength(text),
    stderr_sha256: digestOf(text),
    code: input.code,
  };
}

/** `isProven`: none of its processes is left. */
export function buildInterruption(input: {
  commandId: string;
  attempt: number;
  startedAt: string | null;
  at: string;
  isProven: boolean;
}): CommandResult {
  return {
    command_id: input.commandId,
    attempt: input.attempt,
    status: 'interrupted',
    exit_code: null,
    signal: null,
    started_at: input.startedAt,
    finished_at: input.at,
    ...noOutput(),
    ...(input.isProven ? {} : { code: 'kill_unconfirmed' }),
  };
}

/** What would run, one argv a line; no exit code, since nothing ran. */
export function buildDryRun(payload: CommandPayload, plan: Plan, at: string): CommandResult {
  const checked = checkParams(plan.playbook, payload.params);
  const lines = 'values' in checked ? previewSteps(plan.playbook, checked.values) : [];
  const text = lines.map((argv) => `would run: ${JSON.stringify(argv)}\n`).join('');
  return {
    command_id: payload.command_id,
    attempt: payload.attempt,
    status: 'completed',
    exit_code: null,
    signal: null,
    started_at: null,
    finished_at: at,
    ...noOutput(),
    stdout: text,
    stdout_bytes: Buffer.byteLength(text),
    stdout_sha256: digestOf(text),
  };
}

/** `status` may be `interrupted` where the agent itself was told to end. */
export function buildResult(input: {
  payload: CommandPayload;
  status: CommandResult['status'];
  startedAt: string | null;
  execution: Execution;
  at: string;
}): CommandResult {
  const { payload, status, execution } = input;
  const { stdout, stderr } = execution;
  const code = status === 'interrupted' && execution.code !== undefined ? 'kill_unconfirmed' : execution.code;
  return {
    command_id: payload.command_id,
    attempt: payload.attempt,
    status,
    exit_code: execution.exitCode,
    signal: execution.signal,
    started_at: input.startedAt,
    finished_at: input.at,
    stdout: stdout.text,
    stderr: stderr.text,
    stdout_bytes: stdout.bytes,
    stderr_bytes: stderr.bytes,
    truncated: stdout.isTruncated || stderr.isTruncated,
    stdout_sha256: stdout.sha256,
    stderr_sha256: stderr.sha256,
    ...(code === undefined ? {} : { code }),
  };
}
