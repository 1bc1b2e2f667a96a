import type { Button, HomeView, KnownBlock } from '@slack/types';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { HaltView } from '../../services/halts/halt-view.ts';
import type { ServerView } from '../../services/servers/server-view.ts';
import type { HomeContent } from '../../services/slack/homes.ts';
import { decisionButtons, detailsButton } from './card.ts';
import { describeAction } from './card-states.ts';
import { approvalFacts, argvBlock, haltFact, haltFacts, MAX_NAME, MAX_REASON } from './facts.ts';
import type { Fact } from './facts.ts';
import { BUTTONS, COMMAND, HOME } from './names.ts';
import { button, factsBlock, sentenceBlock, smallPrint } from './parts.ts';
import { showTime, toLine } from './text.ts';

const MAX_WAITING = 12; // of five blocks each, in the hundred that Slack takes
const MAX_ROWS = 8;
const MAX_HALTS = 3; // in one block: with all the others it is the hundredth

/** What a click on this Home may name: Slack keeps the list for us. */
export function idsOnHome(content: HomeContent): string[] {
  const actions = [...content.waiting.slice(0, MAX_WAITING), ...rows(content.asked), ...rows(content.failed)];
  return [...new Set([...actions, ...rows(content.paused)].map(({ id }) => id))];
}

/** For one person: what waits for them, what they asked for, what failed, and which servers are paused, or halted. */
export function createHome(content: HomeContent, privateMetadata: string): HomeView {
  const { waiting, waitingCount, asked, failed, paused, halts } = content;
  return {
    type: 'home',
    callback_id: HOME,
    private_metadata: privateMetadata,
    blocks: [
      sentenceBlock(describeHome(content)),
      ...drawHalts(halts),
      heading('Waits for you'),
      ...(waiting.length === 0 ? [sentenceBlock('Nothing waits for your approval.')] : []),
      ...waiting.slice(0, MAX_WAITING).flatMap(drawWaiting),
      ...more(waitingCount - Math.min(waiting.length, MAX_WAITING), 'decide on their cards.'),
      heading('What you asked for'),
      ...(asked.length === 0 ? [sentenceBlock(`You asked for nothing yet. ${COMMAND} opens a form.`)] : []),
      ...rows(asked).map(drawRow),
      heading('Failed in the last day'),
      ...(failed.length === 0 ? [sentenceBlock('Nothing failed or expired in the last day.')] : []),
      ...rows(failed).map(drawRow),
      heading('Paused servers'),
      ...(paused.length === 0 ? [sentenceBlock('No server is paused.')] : []),
      ...rows(paused).flatMap(drawPause),
      ...more(paused.length - MAX_ROWS, `${COMMAND} servers lists all.`),
    ],
  };
}

/** For somebody who is no principal, or whom Medic cannot tell anything now. */
export function createClosedHome(sentence: string): HomeView {
  return { type: 'home', callback_id: HOME, blocks: [sentenceBlock(sentence)] };
}

function describeHome({ waitingCount, failed, paused }: HomeContent): string {
  const wait = waitingCount === 1 ? 'One action waits for you' : `${waitingCount || 'No'} actions wait for you`;
  const fail = `${failed.length || 'none'} failed or expired in the last day`;
  return `${wait}, ${fail}, and ${paused.length || 'no'} ${paused.length === 1 ? 'server is' : 'servers are'} paused.`;
}

/** First, as it explains why what waits cannot be approved. */
function drawHalts(halts: readonly HaltView[]): KnownBlock[] {
  if (halts.length === 0) return [];
  const left = halts.length - MAX_HALTS;
  const more: Fact[] = left > 0 ? [['Halted too', `${left} more; ${COMMAND} halts lists all`]] : [];
  return [factsBlock([...halts.slice(0, MAX_HALTS).map((halt) => haltFact(halt)), ...more])];
}

function heading(text: string): KnownBlock {
  return { type: 'header', text: { type: 'plain_text', text, emoji: false } };
}

/** Enough to decide on: exactly what would run, why, and until when. */
function drawWaiting(action: ActionView): KnownBlock[] {
  const [approve, reject] = decisionButtons(action);
  const decide = action.halt === null ? [approve, reject] : [reject];
  const expires = action.expiresAt === null ? [] : [smallPrint([`Expires ${showTime(action.expiresAt)}`])];
  return [
    sentenceBlock(describeAction(action)),
    factsBlock([
      ['Risk', action.risk],
      ['Reason', action.reason === null ? 'none given' : toLine(action.reason, MAX_REASON)],
      ['Rule', toLine(action.approvalRule || 'none', MAX_REASON)],
      ...haltFacts(action),
      ...approvalFacts(action),
    ]),
    argvBlock(action),
    ...expires,
    { type: 'actions', elements: [...decide, detailsButton(action)] },
  ];
}

function drawRow(action: ActionView): KnownBlock {
  return sentenceBlock(describeAction(action), { accessory: detailsButton(action) });
}

function drawPause(server: ServerView): KnownBlock[] {
  const who = server.pausedBy ?? 'somebody';
  const why = server.pauseReason ?? 'no reason was given';
  const times = [
    ...(server.pausedAt === null ? [] : [`Paused ${showTime(server.pausedAt)}`]),
    server.pausedUntil === null ? 'Until somebody unpauses it' : `Ends ${showTime(server.pausedUntil)}`,
  ];
  return [
    sentenceBlock(`${toLine(server.name, MAX_NAME)} is paused by ${toLine(who, MAX_NAME)}: ${why}`, {
      accessory: unpauseButton(server),
    }),
    smallPrint(times),
  ];
}

function unpauseButton(server: ServerView): Button {
  return button({
    actionId: BUTTONS.unpause,
    label: 'Unpause',
    value: server.id,
    spoken: `Unpause ${server.name}`,
  });
}

function rows<T>(all: readonly T[]): readonly T[] {
  return all.slice(0, MAX_ROWS);
}

function more(count: number, where: string): KnownBlock[] {
  return count > 0 ? [sentenceBlock(`${count} more are not shown here; ${where}`)] : [];
}
