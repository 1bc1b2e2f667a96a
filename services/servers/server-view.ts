import type { HaltRow } from '../../db/repositories/halt.repository.ts';
import type { ServerRow } from '../../db/repositories/server.repository.ts';
import { serverStatus } from '../../domain/liveness.ts';
import type { ServerStatus } from '../../domain/liveness.ts';
import type { ControlPlaneConfig } from '../config/config-store.ts';
import type { HaltView } from '../halts/halt-view.ts';
import { findServerHalt } from '../halts/halt-view.ts';

/** A server as every way out shows it (contract §4). */
export interface ServerView {
  id: string;
  name: string;
  tags: string[];
  status: ServerStatus;
  lastSeenAt: Date | null;
  paused: boolean;
  pausedBy: string | null;
  pausedAt: Date | null;
  pauseReason: string | null;
  /** When the pause ends by itself. */
  pausedUntil: Date | null;
  /** While it stands nothing at all starts here; a frozen playbook is none of a server's. */
  halt: HaltView | null;
  agentVersion: string | null;
  /** When its agent last found its journal damaged, and how many lines cannot be read; null since it was enrolled. */
  journalDamagedAt: Date | null;
  journalDamagedLines: number | null;
  /** Its agent is let in no more, and nothing can be asked for there. */
  revokedAt: Date | null;
  /** What its agent holds; `known`: the control plane has the same one, so it can be asked for. */
  playbooks: { name: string; digest: string; known: boolean }[];
  running: { commandId: string; startedAt: string | null; step: number; steps: number }[];
  /** Approved actions that wait for this server. */
  queued: number;
}

export function toServerView(
  row: ServerRow,
  context: { config: ControlPlaneConfig; halts: readonly HaltRow[]; queued: number; now: Date },
): ServerView {
  return {
    id: row.id,
    name: row.name,
    tags: row.tags,
    status: serverStatus(row, context.now),
    lastSeenAt: row.last_seen_at,
    paused: row.paused,
    pausedBy: row.paused_by,
    pausedAt: row.paused_at,
    pauseReason: row.pause_reason,
    pausedUntil: row.paused_until,
    halt: findServerHalt(context.halts, row.tags),
    agentVersion: row.agent_version,
    journalDamagedAt: row.journal_damaged_at,
    journalDamagedLines: row.journal_damaged_lines,
    revokedAt: row.revoked_at,
    playbooks: row.playbooks.map(({ name, digest }) => ({
      name,
      digest,
      known: context.config.playbooks.get(name)?.digest === digest,
    })),
    running: row.running.map((command) => ({
      commandId: command.command_id,
      startedAt: command.started_at,
      step: command.step,
      steps: command.steps,
    })),
    queued: context.queued,
  };
}
