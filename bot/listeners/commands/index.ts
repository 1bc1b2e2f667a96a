import type { App, RespondFn, SlashCommand } from '@slack/bolt';
import type { Message } from '../../blocks/message.ts';
import { COMMAND } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { parseCommand } from '../../grammar.ts';
import type { Verb } from '../../grammar.ts';
import { identify } from '../../identify.ts';
import { answer } from '../../tell.ts';
import { createRequestAnswer, requestFromSlack } from '../request.ts';
import { approve } from './approve.ts';
import { cancel } from './cancel.ts';
import type { CommandListener } from './command.ts';
import { help } from './help.ts';
import { history } from './history.ts';
import { openForm } from './open-form.ts';
import { pause } from './pause.ts';
import { pending } from './pending.ts';
import { reject } from './reject.ts';
import { servers } from './servers.ts';
import { show } from './show.ts';
import { unpause } from './unpause.ts';

/** One line a verb. */
export const COMMANDS: Readonly<Record<Verb, CommandListener>> = {
  help,
  pending,
  show,
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
  };
  switch (typed.kind) {
    case 'form':
      return openForm(call);
    case 'verb':
      return COMMANDS[typed.verb]({ ...call, word: typed.word ?? '', reason: typed.reason });
    case 'request': {
      const requestKey = `slack:${command.trigger_id}`;
      const request = { ...typed, channel: command.channel_id, requestKey };
      return createRequestAnswer(await requestFromSlack(deps, asker, request));
    }
  }
}

function firstWord(text: string): string {
  return text.trim().split(/\s+/)[0]?.slice(0, 40) || 'form';
}
