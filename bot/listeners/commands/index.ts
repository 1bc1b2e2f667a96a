import type { App, SlashCommand } from '@slack/bolt';
import { InvalidInputError } from '../../../domain/errors.ts';
import type { Message } from '../../blocks/message.ts';
import { COMMAND } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { parseCommand } from '../../grammar.ts';
import type { TypedVerb, Verbs } from '../../grammar.ts';
import { identify } from '../../identify.ts';
import { answer } from '../../tell.ts';
import { recordFirst } from '../record-first.ts';
import { createRequestAnswer, requestFromSlack } from '../request.ts';
import { approve } from './approve.ts';
import { cancel } from './cancel.ts';
import type { CommandCall, CommandListener } from './command.ts';
import { deadLetters } from './dead-letters.ts';
import { dismiss } from './dismiss.ts';
import { halt } from './halt.ts';
import { halts } from './halts.ts';
import { help } from './help.ts';
import { history } from './history.ts';
import { openForm } from './open-form.ts';
import { pause } from './pause.ts';
import { pending } from './pending.ts';
import { queue } from './queue.ts';
import { reject } from './reject.ts';
import { replayMany } from './replay-many.ts';
import { replay } from './replay.ts';
import { servers } from './servers.ts';
import { show } from './show.ts';
import { unhalt } from './unhalt.ts';
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
  queue: { usage: 'queue', does: 'lists what waits and why', run: queue },
  pause: { usage: 'pause SERVER [for 2h] [REASON]', does: 'from now on all there waits for approval', run: pause },
  unpause: { usage: 'unpause SERVER', does: 'ends that', run: unpause },
  halt: { usage: 'halt [tag=TAG] [playbook=NAME] [for 2h] [REASON]', does: 'nothing starts any more', run: halt },
  halts: { usage: 'halts', does: 'lists what is halted', run: halts },
  unhalt: { usage: 'unhalt [ID [REASON]]', does: 'ends a halt; what waited is cancelled', run: unhalt },
  approve: { usage: 'approve ID [COMMENT]', does: 'approves what somebody else asked for', run: approve },
  reject: { usage: 'reject ID REASON', does: 'rejects it', run: reject },
  cancel: { usage: 'cancel ID [REASON]', does: 'cancels it, or withdraws your own request', run: cancel },
  'dead-letters': { usage: 'dead-letters [SERVER]', does: 'lists what was given up on', run: deadLetters },
  replay: { usage: 'replay ID [REASON]', does: 'asks for it again, with a new approval', run: replay },
  'replay-many': {
    usage: 'replay-many [server=SERVER] [playbook=NAME] [code=CODE] [limit=10] [REASON]',
    does: 'does so for the latest that match',
    run: replayMany,
  },
  dismiss: { usage: 'dismiss ID REASON', does: 'is done with it', run: dismiss },
} as const satisfies Verbs & Record<string, { run: CommandListener }>;

export function listenToCommands(app: App, deps: BotDeps): void {
  app.command(COMMAND, async ({ ack, command, respond }) => {
    const reply = { respond, channel: command.channel_id, userId: command.user_id };
    await answer(deps, reply, () =>
      recordFirst({ ack, log: deps.log }, (onRecorded) => runCommand(deps, command, onRecorded)),
    );
  });
}

async function runCommand(deps: BotDeps, command: SlashCommand, onRecorded: () => void): Promise<Message | null> {
  refuseNul(command);
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
    onRecorded,
    word: '',
    reason: undefined,
    durationMs: undefined,
    named: {},
  };
  switch (typed.kind) {
    case 'form':
      onRecorded(); // there is nothing to record yet
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

/** The database stores no U+0000, and these go there; what was typed is judged where it is read. */
function refuseNul({ trigger_id: triggerId, channel_id: channel }: SlashCommand): void {
  if (![triggerId, channel].some((id) => id.includes('\0'))) return;
  const message = 'What came with this command holds the character U+0000, so nothing was done: type it again.';
  throw new InvalidInputError(message, { code: 'invalid_text' });
}

function pick(typed: TypedVerb): Pick<CommandCall, 'word' | 'reason' | 'durationMs' | 'named'> {
  const { word = '', reason, durationMs, named = {} } = typed;
  return { word, reason, durationMs, named };
}

function firstWord(text: string): string {
  return text.trim().split(/\s+/)[0]?.slice(0, 40) || 'form';
}
