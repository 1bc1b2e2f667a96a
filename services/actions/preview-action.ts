import { createHash } from 'node:crypto';
import { listEnded } from '../../db/repositories/action.repository.ts';
import type { ActionRow } from '../../db/repositories/action.repository.ts';
import { listStandingHalts } from '../../db/repositories/halt.repository.ts';
import { findCovering } from '../../domain/halt.ts';
import type { ActionStatus } from '../../domain/lifecycle.ts';
import type { Requirement } from '../../domain/policy.ts';
import { findRequirement } from '../../domain/policy.ts';
import type { Asker } from '../../domain/principal.ts';
import type { ParamValues, Playbook } from '../../playbook/playbook.ts';
import { previewSteps } from '../../playbook/render.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import type { HaltView } from '../halts/halt-view.ts';
import { toHaltView } from '../halts/halt-view.ts';
import type { HoldBackView } from '../hold-backs/read-hold-backs.ts';
import { readHoldBack } from '../hold-backs/read-hold-backs.ts';
import { viewServer } from '../servers/read-servers.ts';
import type { ServerView } from '../servers/server-view.ts';
import { checkRequest } from './check-request.ts';
import type { RequestInput } from './check-request.ts';

const SHOWN_OUTCOMES = 5; // enough to see whether it usually helps here

/** How one action ended, as far as a preview tells it. */
export interface PastOutcome {
  id: string;
  status: ActionStatus;
  requestedBy: string;
  endedAt: Date | null;
  exitCode: number | null;
  signal: string | null;
  failureCode: string | null;
  argvPreview: string[][];
}

/** What would happen if this were asked for now. */
export interface ActionPreview {
  server: ServerView;
  playbook: Playbook;
  values: ParamValues;
  /** One array of arguments a step, verification last: exactly what the action would show. */
  argv: string[][];
  /** By today's rules and the pause of this moment. */
  requirement: Requirement;
  /** While it stands, this is refused. */
  halt: HaltView | null;
  /** The same. */
  holdBack: HoldBackView | null;
  /** The same for two previews only where the same would run, under the same terms. */
  fingerprint: string;
  /** How this playbook ended on this server, newest first. */
  outcomes: PastOutcome[];
}

/**
 * Checks a request as `requestAction` does, by the same code, and records nothing. What the action needs is fixed only
 * when it is requested: a pause or a new rule in between counts.
 *
 * Throws what `checkRequest` throws; NotAllowedError `role_missing`.
 */
export async function previewAction(ctx: Context, asker: Asker, input: RequestInput): Promise<ActionPreview> {
  authorise(asker, 'actions.request');
  const { server, playbook, values } = await checkRequest(ctx, input);
  const [view, ended, halts, holdBack] = await Promise.all([
    viewServer(ctx, server),
    listEnded(ctx.database, { serverId: server.id, playbook: playbook.name, limit: SHOWN_OUTCOMES }),
    listStandingHalts(ctx.database),
    readHoldBack(ctx.database, { server, playbook: playbook.name }),
  ]);
  const requirement = findRequirement({
    rules: ctx.config.current().rules,
    server: { name: server.name, tags: server.tags, isPaused: server.paused },
    playbook: { name: playbook.name, risk: playbook.risk },
  });
  const halt = findCovering(halts, { tags: server.tags, playbook: playbook.name });
  const terms = JSON.stringify([server.id, playbook.digest, Object.entries(values), requirement]);
  return {
    server: view,
    playbook,
    values,
    argv: previewSteps(playbook, values),
    requirement,
    halt: halt === null ? null : toHaltView(halt),
    holdBack,
    fingerprint: createHash('sha256').update(terms).digest('base64url'),
    outcomes: ended.map(toPastOutcome),
  };
}

function toPastOutcome(row: ActionRow): PastOutcome {
  return {
    id: row.id,
    status: row.status,
    requestedBy: row.requested_by,
    endedAt: row.completed_at,
    exitCode: row.exit_code,
    signal: row.signal,
    failureCode: row.failure_code,
    argvPreview: row.argv_preview,
  };
}
