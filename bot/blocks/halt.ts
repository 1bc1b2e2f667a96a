import type { KnownBlock } from '@slack/types';
import { describeRelease, haltCode, nameReach } from '../../domain/halt.ts';
import { SYSTEM_ACTOR } from '../../domain/principal.ts';
import { lowerFirst } from '../../domain/sentence.ts';
import type { HaltView } from '../../services/halts/halt-view.ts';
import { describeHalt } from '../../services/halts/halt-view.ts';
import { createAnswer } from './answer.ts';
import type { Fact } from './facts.ts';
import { MAX_NAME, MAX_REASON } from './facts.ts';
import type { Message, News } from './message.ts';
import { COMMAND, HALT_BLOCK, HALT_EVENT_TYPE } from './names.ts';
import { factsBlock, MAX_SENTENCE, sentenceBlock } from './parts.ts';
import { escapeMrkdwn, toLine } from './text.ts';

export type HaltEvent = 'declared' | 'lifted';

export interface HaltNews {
  halt: HaltView;
  event: HaltEvent;
  /** Of what it covers, as the message is drawn. */
  running: number;
  waiting: number;
  /** Those that stand as the message is drawn. */
  standing: readonly HaltView[];
}

/** The new message in the channel when a halt begins, and when it ends. */
export function createHaltNews(news: HaltNews): News {
  const sentence = toLine(news.event === 'declared' ? sayDeclared(news.halt) : sayLifted(news), MAX_SENTENCE);
  const facts = news.event === 'declared' ? declaredFacts(news) : liftedFacts(news.halt);
  const blocks: KnownBlock[] = [sentenceBlock(sentence, { blockId: HALT_BLOCK }), factsBlock(facts)];
  return { text: escapeMrkdwn(sentence), blocks, metadata: { event_type: HALT_EVENT_TYPE, event_payload: idOf(news) } };
}

/** What tells the two messages of one halt from each other, and from those of others. */
export function idOf({ halt, event }: Pick<HaltNews, 'halt' | 'event'>): { halt_id: number; event: HaltEvent } {
  return { halt_id: halt.id, event };
}

/** What stands still now, for one person. */
export function createHaltList(halts: readonly HaltView[]): Message {
  if (halts.length === 0) return createAnswer('Nothing is halted.');
  const lines = halts.map((halt) => `${halt.id}: ${describeHalt(halt)}`);
  return createAnswer(`Halted now; ${COMMAND} unhalt and the number ends one:`, lines);
}

function sayDeclared(halt: HaltView): string {
  const what = halt.scope === 'all' ? 'everything' : lowerFirst(nameReach(halt));
  const verb = haltCode(halt) === 'halted' ? 'halted' : 'froze';
  return `${toLine(halt.declaredBy, MAX_NAME)} ${verb} ${what}: from now on nothing of it starts.`;
}

function sayLifted({ halt, standing }: HaltNews): string {
  const how =
    halt.liftedBy === SYSTEM_ACTOR
      ? `The halt of ${toLine(halt.declaredBy, MAX_NAME)} has ended by itself, as it said it would`
      : `${toLine(halt.liftedBy ?? 'Somebody', MAX_NAME)} lifted the halt of ${toLine(halt.declaredBy, MAX_NAME)}`;
  return `${how}: ${lowerFirst(describeRelease(halt, standing))}`;
}

function declaredFacts({ halt, running, waiting }: HaltNews): Fact[] {
  return [
    ['Because', toLine(halt.reason, MAX_REASON)],
    halt.until === null ? ['Until', `somebody lifts it: ${COMMAND} unhalt ${halt.id}`] : ['Until', halt.until],
    ['Running now', running === 0 ? 'nothing' : `${running}: it goes on unless somebody cancels it`],
    ['Approved and waiting', waiting === 0 ? 'nothing' : `${waiting}: it will not be released at the end of the halt`],
  ];
}

function liftedFacts(halt: HaltView): Fact[] {
  const none = 'nothing';
  return [
    ['It was', `${toLine(halt.reason, MAX_REASON)}, since `, halt.declaredAt],
    ...(halt.liftReason === null ? [] : [['Because', toLine(halt.liftReason, MAX_REASON)] as const]),
    ['Cancelled, as it had waited', halt.voided === 0 ? none : `${halt.voided}; who asked for it is told`],
  ];
}
