/** A card shows this much whole; nobody approves what they cannot read to its end. */
export const MAX_ARGV_TEXT = 2_500;

/** One line a step. Nothing hidden: what is not plainly one word is shown as a JSON string. */
export function writeArgv(steps: readonly (readonly string[])[]): string {
  return steps.map((argv) => argv.map(quoteArgument).join(' ')).join('\n') || '(no steps)';
}

function quoteArgument(argument: string): string {
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument;
  return JSON.stringify(argument).replace(/[^\x20-\x7E\p{L}\p{N}\p{P}\p{S}\p{M}]/gu, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
