import { jest } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createApi } from '../../api/create-api.ts';
import { createSlackDirectory } from '../../bot/slack-directory.ts';
import { createCommand } from '../../cli/commands/action.ts';
import { DEFAULT_TERMS } from '../../domain/policy.ts';
import type { ApprovalRule } from '../../domain/policy.ts';
import type { Principal } from '../../domain/principal.ts';
import type { Role } from '../../domain/roles.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { createToken } from '../../services/tokens/manage-tokens.ts';
import { insertTestServer } from '../support/servers.ts';
import type { BotStage } from './bot-stage.ts';
import { openBotStage, TOKENS } from './bot-stage.ts';

/** One person tries to decide one action. What comes of it: `done`, or the code of the refusal. */
export type WayIn = (input: { actionId: string; kind: 'approve' | 'reject' }) => Promise<string>;

/** The bot, the API and the CLI on one control plane, and pat, who tries every way in. */
export interface WhoMayStage {
  stage: BotStage;
  ways: Readonly<Record<'slack' | 'api' | 'cli', WayIn>>;
  setPeople(pat: Pick<Principal, 'roles' | 'groups'>, others: Principal[]): void;
  setRule(rule: Partial<ApprovalRule>): void;
  ask(requester: Principal): Promise<ActionView>;
  /** Codes of the refusals since this action was requested, oldest first: of it, or of pat before it came to it. */
  refusals(actionId: string): Promise<string[]>;
  stop(): Promise<void>;
}

export const PAT = 'U0PAT';

/** What Slack is told before the policy is asked, under a name of its own. */
const SAME: Readonly<Record<string, string>> = {
  foreign_workspace: 'slack_person_refused',
  unknown_person: 'slack_person_refused',
};

export async function openWhoMayStage(): Promise<WhoMayStage> {
  const people = [
    { id: PAT, name: 'pat', real_name: 'Pat' },
    { id: 'U0OTH', name: 'oth', real_name: 'Oth' },
  ];
  const stage = await openBotStage({ workspace: { people } });
  const { plane } = stage;
  const { log } = plane.ctx;
  const directory = { token: TOKENS.botToken, apiUrl: stage.slack.apiUrl, log, keptMs: 0 }; // each change counts at once
  plane.ctx.slackDirectory = createSlackDirectory(directory);
  await stage.startBot();
  const app = await createApi({ ctx: plane.ctx });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const tokens = new Map<Role, string>();
  const root: Principal = { name: 'root', roles: ['admin'], groups: [], slackUserId: null };
  let pat: Principal = { name: 'pat', roles: ['approver'], groups: [], slackUserId: PAT };
  const tokenOf = async (): Promise<string> => {
    const [role = 'viewer'] = pat.roles;
    const known = tokens.get(role);
    if (known !== undefined) return known;
    const { token } = await createToken(plane.ctx, plane.asker('root'), { principal: 'pat', role });
    tokens.set(role, token);
    return token;
  };
  const refusals = async (actionId: string): Promise<string[]> => {
    const { rows } = await plane.ctx.database.pool.query<{ code: string }>(
      `select body::jsonb -> 'data' ->> 'code' as code from audit_events
       where subject_id in ($1, $2) and event = 'decision.refused'
         and seq > (select seq from audit_events where subject_id = $1 and event = 'action.requested')
       order by seq`,
      [actionId, PAT],
    );
    return rows.map(({ code }) => code);
  };
  return {
    stage,
    refusals,
    ways: {
      slack: decideInSlack(stage, refusals),
      api: async (input) => decideByApi(app, await tokenOf(), input),
      cli: async (input) => decideByCli(url, await tokenOf(), input),
    },
    setPeople: (given, others) => {
      pat = { ...pat, ...given };
      plane.config.principals = new Map([root, pat, ...others].map((one) => [one.name, one]));
    },
    setRule: (rule) => {
      plane.config.rules = [{ ...DEFAULT_TERMS, when: {}, approvals: 1, from: null, ...rule }];
    },
    ask: async (principal) => {
      const { name: server } = await insertTestServer(plane.ctx);
      const input = { server, playbook: 'restart-service', params: { service: 'nginx' } };
      return requestAction(plane.ctx, { principal, roles: ['operator'], via: 'api' }, input);
    },
    stop: async () => {
      await app.close();
      await stage.stop();
    },
  };
}

/** By the command; the answer is private words, so the code is the audit's. */
function decideInSlack(stage: BotStage, refusals: WhoMayStage['refusals']): WayIn {
  const { slack } = stage;
  return async ({ actionId, kind }) => {
    const before = { told: slack.ephemerals(PAT).length, refused: (await refusals(actionId)).length };
    const text = kind === 'approve' ? `approve ${actionId}` : `reject ${actionId} reason="no"`;
    await slack.slashCommand({ user: PAT, command: '/remediate', text });
    await slack.waitFor((ws) => ws.ephemerals(PAT).length > before.told, { what: 'pat to be answered' });
    const refused = (await refusals(actionId)).slice(before.refused);
    const [code = 'done'] = refused;
    return SAME[code] ?? code;
  };
}

async function decideByApi(app: FastifyInstance, token: string, input: Parameters<WayIn>[0]): Promise<string> {
  const response = await app.inject({
    method: 'POST',
    url: `/api/v1/actions/${input.actionId}/${input.kind}`,
    headers: { authorization: `Bearer ${token}` },
    payload: input.kind === 'reject' ? { reason: 'no' } : {},
  });
  return response.statusCode === 200 ? 'done' : response.json<{ code: string }>().code;
}

async function decideByCli(url: string, token: string, input: Parameters<WayIn>[0]): Promise<string> {
  const printed = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    const words = [input.kind, input.actionId, ...(input.kind === 'reject' ? ['--reason', 'no'] : [])];
    await createCommand({ env: { MEDIC_URL: url, MEDIC_TOKEN: token }, setExitCode: () => undefined }).parseAsync(
      words,
      { from: 'user' },
    );
    return 'done';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  } finally {
    printed.mockRestore();
  }
}
