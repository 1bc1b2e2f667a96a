import type { App, RespondFn, SlashCommand } from '@slack/bolt';
import type { Message } from '../../blocks/message.ts';
import { COMMAND } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { parseCommand } from '../../grammar.ts';
import type { TypedVerb, Verb } from '../../grammar.ts';
import { identify } from '../../identify.ts';
import { answer } from '../../tell.ts';
import { createRequestAnswer, requestFromSlack } from '../request.ts';
import { approve } from './approve.ts';
import { cancel } from './cancel.ts';
import type { CommandCall, CommandListener } from './command.ts';
import { help } from './help.ts';
import { history } from './history.ts';
import { openForm } from './open-form.ts';
import { pause } from './pause.ts';
import { pending } from './pending.ts';
import { reject } from './reject.ts';
import { servers } from './servers.ts';
import { show } from './show.ts';
import { unpause } from './unpause.ts';
import { why } from './why.ts';

/** One line a verb. */
export const COMMANDS: Readonly<Record<Verb, CommandListener>> = {
  help,
  pending,
  show,
  why,
  history,
  servers,
  pause,
  unpause,
  approve,
  reject,
  cancel,
};

export function listenToCommands(app: App, deps: BotDeps): void {
  app.command(COMMAND, async ({ ack, command, respond }) => {
    await ack();
    await answerCommand(deps, command, respond);
  });
}

function answerCommand(deps: BotDeps, command: SlashCommand, respond: RespondFn): Promise<void> {
  const reply = { respond, channel: command.channel_id, userId: command.user_id };
  return answer(deps, reply, () => runCommand(deps, command));
}

async function runCommand(deps: BotDeps, command: SlashCommand): Promise<Message | null> {
  const person = { userId: command.user_id, teamIds: [command.team_id] };
  const asker = await identify(deps, person, { tried: firstWord(command.text) });
  const typed = parseCommand(command.text, [...deps.ctx.config.current().playbooks.keys()]);
  const call = {
    deps,
    asker,
    userId: command.user_id,
    channel: command.channel_id,
    triggerId: command.trigger_id,
    word: '',
    reason: undefined,
    durationMs: undefined,
  };
  switch (typed.kind) {
    case 'form':
      return openForm(call);
    case 'verb':
      return COMMANDS[typed.verb]({ ...call, ...pick(typed) });
    case 'request': {
      const requestKey = `slack:${command.trigger_id}`;
      const request = { ...typed, channel: command.channel_id, requestKey };
      return createRequestAnswer(await requestFromSlack(deps, asker, request));
    }
  }
}

function pick({ word = '', reason, durationMs }: TypedVerb): Pick<CommandCall, 'word' | 'reason' | 'durationMs'> {
  return { word, reason, durationMs };
}

function firstWord(text: string): string {
  return text.trim().split(/\s+/)[0]?.slice(0, 40) || 'form';
}
