import type { UsersInfoResponse, WebClient } from '@slack/web-api';
import type { Logger } from 'pino';
import type { SlackDirectory, SlackProfile } from '../services/slack/directory.ts';
import { createWebClient, readSlackFailure, SLACK_API_URL } from './transport/web-client.ts';
import { createWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';

const KEPT_MS = 60_000; // who left a group or the company decides no longer than this
const MOST_KEPT = 10_000; // people; beyond, the oldest answers go
/** Slack's word for "your plan has no user groups": there the lists of medic.yaml count. */
const UNSUPPORTED = ['paid_teams_only', 'plan_upgrade_required'];
/** Nobody that this workspace can see. */
const UNKNOWN = ['user_not_found', 'user_not_visible'];

/** `users.info` and `usergroups.users.list`, each answer kept for 60 s; a failure is not kept. */
export function createSlackDirectory(input: {
  token: string;
  apiUrl?: string | undefined;
  log: Logger;
  keptMs?: number;
}): SlackDirectory {
  const { token, apiUrl = SLACK_API_URL, log, keptMs = KEPT_MS } = input;
  const client = createWebClient({ token, apiUrl, log });
  const workspace = createWorkspace(client);
  return {
    person: keepAnswers(keptMs, (userId) => askForProfile({ client, workspace, userId })),
    usergroupMembers: keepAnswers(keptMs, (usergroup) => askForMembers(client, usergroup)),
  };
}

/** Two who ask at once share one call. */
function keepAnswers<T>(keptMs: number, ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const kept = new Map<string, { askedAtMs: number; answer: Promise<T> }>();
  return (key) => {
    const found = kept.get(key);
    if (found !== undefined && performance.now() - found.askedAtMs < keptMs) return found.answer;
    const entry = { askedAtMs: performance.now(), answer: ask(key) };
    kept.delete(key);
    kept.set(key, entry);
    const [oldest] = kept.keys();
    if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
    entry.answer.catch(() => {
      if (kept.get(key) === entry) kept.delete(key);
    });
    return entry.answer;
  };
}

async function askForProfile(input: {
  client: WebClient;
  workspace: Workspace;
  userId: string;
}): Promise<SlackProfile> {
  const { client, workspace, userId } = input;
  try {
    const [ours, { user }] = await Promise.all([workspace.teamId(), client.users.info({ user: userId })]);
    if (user === undefined) throw new Error('users.info named nobody.');
    return readProfile(user, ours);
  } catch (error) {
    const failure = readSlackFailure(error);
    if (failure.kind !== 'refused' || !UNKNOWN.includes(failure.code)) throw error;
    return { teamId: null, isBot: false, isGuest: false, isDeactivated: false, isStranger: true };
  }
}

/** `is_stranger` is false for people of a shared channel too, so the team decides; on a grid, any of their teams. */
function readProfile(user: NonNullable<UsersInfoResponse['user']>, ours: string): SlackProfile {
  const teams = [user.team_id, ...(user.enterprise_user?.teams ?? [])];
  return {
    teamId: user.team_id ?? null,
    isBot: user.is_bot === true || user.is_workflow_bot === true,
    isGuest: user.is_restricted === true || user.is_ultra_restricted === true,
    isDeactivated: user.deleted === true,
    isStranger: (user as { is_stranger?: boolean }).is_stranger === true || !teams.includes(ours),
  };
}

async function askForMembers(client: WebClient, usergroup: string): Promise<readonly string[] | 'unsupported'> {
  try {
    const { users } = await client.usergroups.users.list({ usergroup });
    if (users === undefined) throw new Error('usergroups.users.list named nobody.');
    return users;
  } catch (error) {
    const failure = readSlackFailure(error);
    if (failure.kind === 'refused' && UNSUPPORTED.includes(failure.code)) return 'unsupported';
    throw error;
  }
}
