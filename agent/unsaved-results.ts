import { HARMLESS_REFUSALS } from '../protocol/limits.ts';
import type { CommandResult } from '../protocol/messages.ts';

const MAX_HARMLESS = 100; // a flood of forgeries must not fill the memory

/** Results that stand in memory only: harmless refusals, and what a full disk kept out of the journal. */
export interface UnsavedResults {
  /** A harmless refusal too many is dropped, since its command is handed out again anyway; others never are. */
  add(result: CommandResult): void;
  list(): CommandResult[];
  /** Whether a command ended for good here, so that it must not be started. */
  hasEnded(commandId: string): boolean;
  /** Answers what was forgotten. */
  forget(commandId: string): CommandResult | undefined;
}

export function createUnsavedResults(): UnsavedResults {
  const results = new Map<string, CommandResult>();
  const isHarmless = (result: CommandResult | undefined): boolean => HARMLESS_REFUSALS.includes(result?.code ?? '');
  const hasEnded = (commandId: string): boolean => results.has(commandId) && !isHarmless(results.get(commandId));
  return {
    add(result) {
      if (isHarmless(result) && hasEnded(result.command_id)) return; // a forgery does not cover up the real end
      results.delete(result.command_id);
      const isFull = [...results.values()].filter(isHarmless).length >= MAX_HARMLESS;
      if (!isHarmless(result) || !isFull) results.set(result.command_id, result);
    },
    list: () => [...results.values()],
    hasEnded,
    forget(commandId) {
      const result = results.get(commandId);
      results.delete(commandId);
      return result;
    },
  };
}
