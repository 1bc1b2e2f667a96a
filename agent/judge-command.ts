import type { RenderedStep } from '../playbook/render.ts';
import { renderSteps } from '../playbook/render.ts';
import { judgeAllowed } from '../playbook/allow.ts';
import { checkParams } from '../playbook/params.ts';
import type { Playbook } from '../playbook/playbook.ts';
import { CLOCK_TOLERANCE_S } from '../protocol/limits.ts';
import { verifyCommand } from '../protocol/command-jws.ts';
import type { CommandKey, CommandPayload } from '../protocol/messages.ts';
import type { OwnPlaybooks } from './playbook-directory.ts';

export type Judgement =
  | { verdict: 'unreadable'; reason: string }
  /** Uses up neither id nor seq, and is not journalled. */
  | {
      verdict: 'harmless';
      commandId: string;
      attempt: number;
      code: 'bad_signature' | 'wrong_server' | 'outside_window';
    }
  | { verdict: 'refused'; payload: CommandPayload; kid: string; code: string; reason: string }
  | { verdict: 'run'; payload: CommandPayload; kid: string; plan: Plan };

export interface Plan {
  playbook: Playbook;
  steps: readonly RenderedStep[];
  verify: readonly RenderedStep[];
  maskPatterns: readonly RegExp[];
}

export interface Bench {
  serverId: string;
  keys: readonly CommandKey[];
  nowMs: number;
  isHalted: boolean;
  highestSeq(kid: string): number;
  readOwnPlaybooks(): Promise<OwnPlaybooks>;
}

/** Whether a command that is not in the journal may run here: the first reason against it, in the contract's order. */
export async function judgeCommand(jws: string, bench: Bench): Promise<Judgement> {
  const reading = await verifyCommand({ jws, keys: bench.keys });
  if (reading.status === 'unreadable') return { verdict: 'unreadable', reason: reading.reason };
  if (reading.status === 'bad_signature') return { verdict: 'harmless', ...reading.claimed, code: 'bad_signature' };
  const { payload, kid } = reading;
  const named = { commandId: payload.command_id, attempt: payload.attempt };
  if (payload.server_id !== bench.serverId) return { verdict: 'harmless', ...named, code: 'wrong_server' };
  const nowS = bench.nowMs / 1000;
  // Early by a minute is only a clock; late never is: the control plane may have given the command up.
  const isInWindow = payload.nbf <= nowS + CLOCK_TOLERANCE_S && nowS < payload.exp;
  if (!isInWindow) return { verdict: 'harmless', ...named, code: 'outside_window' };
  const refusal = (code: string, reason: string): Judgement => ({ verdict: 'refused', payload, kid, code, reason });
  const highest = bench.highestSeq(kid);
  if (payload.seq <= highest) {
    return refusal(
      'stale_seq',
      `Its seq ${String(payload.seq)} is not above ${String(highest)}, the last one seen here.`,
    );
  }
  const judged = await judgeContent(payload, bench);
  return 'code' in judged ? refusal(judged.code, judged.reason) : { verdict: 'run', payload, kid, plan: judged };
}

async function judgeContent(payload: CommandPayload, bench: Bench): Promise<Plan | { code: string; reason: string }> {
  const own = await bench.readOwnPlaybooks();
  const playbook = own.playbooks.get(payload.playbook);
  if (playbook === undefined) {
    return { code: 'unknown_playbook', reason: `This server has no playbook ${payload.playbook}.` };
  }
  if (playbook.digest !== payload.playbook_digest) {
    return {
      code: 'playbook_changed',
      reason: `${playbook.name} on this server is another version than the approved one.`,
    };
  }
  const checked = checkParams(playbook, payload.params);
  if ('errors' in checked) {
    return { code: 'invalid_params', reason: checked.errors.map((error) => error.message).join(' ') };
  }
  if (own.allowFile === undefined) {
    return { code: 'not_allowed_here', reason: 'This server has no readable allow.yaml, so nothing is permitted.' };
  }
  const allowed = judgeAllowed({ allowFile: own.allowFile, playbook, values: checked.values });
  if (!allowed.isAllowed) return { code: 'not_allowed_here', reason: allowed.reason };
  if (bench.isHalted) return { code: 'halted', reason: 'Everything is halted.' };
  const { steps, verify } = renderSteps(playbook, checked.values);
  const maskPatterns = (own.allowFile.maskPatterns ?? []).map((source) => new RegExp(source, 'gu'));
  return { playbook, steps, verify, maskPatterns };
}
