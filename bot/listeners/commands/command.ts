import type { Asker } from '../../../domain/principal.ts';
import type { Message } from '../../blocks/message.ts';
import type { BotDeps } from '../../deps.ts';
import type { Verbs } from '../../grammar.ts';

/** One command that somebody typed, and who they are. */
export interface CommandCall {
  deps: BotDeps;
  /** All verbs, for `help`. */
  verbs: Verbs;
  asker: Asker;
  userId: string;
  channel: string;
  /** The same for a command that is delivered twice; opens one form within three seconds. */
  triggerId: string;
  /** To be called where what was typed is on record before its answer is known. */
  onRecorded: () => void;
  /** The word behind the verb; '' where the grammar allows none. */
  word: string;
  reason: string | undefined;
  /** From `for 2h`. */
  durationMs: number | undefined;
  /** From `tag=web`. */
  named: Readonly<Record<string, string>>;
}

/** What the person is told, privately; null: nothing more. What is thrown is told as one sentence. */
export type CommandListener = (call: CommandCall) => Promise<Message | null>;
