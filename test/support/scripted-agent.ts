import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import type { CommandPayload, HeartbeatResponse } from '../../protocol/messages.ts';
import { exchangeHeartbeat } from '../../services/agents/exchange-heartbeat.ts';
import type { Context } from '../../services/context.ts';

/** Speaks for a server through the heartbeat service: says what a test wants it to say, and runs nothing. */
export function createScriptedAgent(ctx: Context, serverId: string, session: { startedAt?: string } = {}) {
  const startedAt = session.startedAt ?? new Date().toISOString();
  let beat = 0;
  const beatOnce = (
    said: {
      running?: string[];
      startedAt?: string;
      step?: number;
      steps?: number;
      results?: object[];
      waitS?: number;
      halted?: boolean;
    } = {},
  ): Promise<HeartbeatResponse> =>
    exchangeHeartbeat(ctx, {
      serverId,
      signal: new AbortController().signal,
      body: {
        protocol: 1,
        session: { started_at: startedAt, beat: (beat += 1) },
        agent_version: '0.0.0-test',
        boot_id: 'boot',
        uptime_s: 1,
        load: 0,
        wait_s: said.waitS ?? 0,
        ...(said.halted === undefined ? {} : { halted: said.halted }),
        running: (said.running ?? []).map((id) => ({
          command_id: id,
          started_at: said.startedAt ?? new Date().toISOString(),
          step: said.step ?? 1,
          steps: said.steps ?? 1,
        })),
        results: said.results ?? [],
      },
    });
  return {
    beatOnce,
    /** Holds heartbeats until a command comes. */
    fetchCommand: async (): Promise<CommandPayload> => {
      for (let tries = 0; tries < 10; tries++) {
        const [jws] = (await beatOnce({ waitS: 5 })).commands;
        if (jws !== undefined) return decodeJwt<CommandPayload>(jws) as CommandPayload;
      }
      throw new Error('no command came');
    },
  };
}

export function createResult(command: CommandPayload, change: object = {}): object {
  const empty = `sha256:${createHash('sha256').update('').digest('hex')}`;
  return {
    command_id: command.command_id,
    attempt: command.attempt,
    status: 'completed',
    exit_code: 0,
    signal: null,
    started_at: new Date().toISOString(),
    finished_at: new Date().toISOString(),
    stdout: '',
    stderr: '',
    stdout_bytes: 0,
    stderr_bytes: 0,
    truncated: false,
    stdout_sha256: empty,
    stderr_sha256: empty,
    ...change,
  };
}
