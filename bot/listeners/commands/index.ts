import type { App, RespondFn, SlashCommand } from '@slack/bolt';
import type { Message } from '../../blocks/message.ts';
import { COMMAND } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { parseCommand } from '../../grammar.ts';
import type { TypedVerb, Verbs } from '../../grammar.ts';
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

/** One line a verb; its usage is its grammar (bot/grammar.ts), and its name stands in the manifest. */
export const COMMANDS = {
  help: { usage: 'help', does: 'shows this', run: help },
  pending: { usage: 'pending', does: 'lists what waits for approval', run: pending },
  show: { usage: 'show ID', does: 'tells all about one action', run: show },
  why: { usage: 'why ID', does: 'tells which rule decides it, who may and who did', run: why },
  history: { usage: 'history [SERVER]', does: 'lists the latest actions', run: history },
  servers: { usage: 'servers', does: 'lists the servers', run: servers },
  pause: { usage: 'pause SERVER [for 2h] [REASON]', does: 'from now on all there waits for approval', run: pause },
  unpause: { usage: 'unpause SERVER', does: 'ends that', run: unpause },
  approve: { usage: 'approve ID [COMMENT]', does: 'approves what somebody else asked for', run: approve },
  reject: { usage: 'reject ID REASON', does: 'rejects it', run: reject },
  cancel: { usage: 'cancel ID [REASON]', does: 'cancels it, or withdraws your own request', run: cancel },
} as const satisfies Verbs & Record<string, { run: CommandListener }>;

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
  const typed = parseCommand(command.text, {
    verbs: COMMANDS,
    playbooks: [...deps.ctx.config.current().playbooks.keys()],
  });
  const call: CommandCall = {
    deps,
    verbs: COMMANDS,
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
      return COMMANDS[typed.verb].run({ ...call, ...pick(typed) });
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
