import type { OutboxEntry } from '../../services/slack/outbox.ts';
import type { BotDeps } from '../deps.ts';

/**
 * Sends what the entry owes, made from the rows as they are now. Resolves where nothing is owed any more. Rejects with
 * the error of the Web API; then nothing is settled and it is called again. May be called again after a send whose
 * answer was lost: then it looks for that message before it sends another. `companions` are entries of the same kind
 * that the same message tells, if the kind has any; private ones are all owed to one person.
 */
export type Sender = (deps: BotDeps, entry: OutboxEntry, companions: readonly OutboxEntry[]) => Promise<void>;
