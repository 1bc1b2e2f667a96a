import type { WebClient } from '@slack/web-api';
import type { Logger } from 'pino';
import type { Context } from '../services/context.ts';
import type { Workspace } from './workspace.ts';

/** What every listener needs. */
export interface BotDeps {
  ctx: Context;
  client: WebClient;
  workspace: Workspace;
  /** Where cards stand. */
  channel: string;
  /** Proves that a form is ours (bot/seal.ts). */
  sealKey: Buffer;
  log: Logger;
}
