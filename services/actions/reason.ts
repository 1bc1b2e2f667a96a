import { InvalidInputError } from '../../domain/errors.ts';

const MAX_REASON_CHARS = 1_000; // leaves room for the rest of a card, which Slack limits to 13,200

/** The reason somebody gave, trimmed; null where there is none. Throws `reason_too_long`. */
export function readReason(reason: string | undefined): string | null {
  const text = reason?.trim() ?? '';
  if (text.includes('\0') || !text.isWellFormed()) {
    const message = 'The reason holds the character U+0000 or half of a surrogate pair.';
    throw new InvalidInputError(message, { code: 'invalid_text' });
  }
  if (text.length <= MAX_REASON_CHARS) return text === '' ? null : text;
  const message = `The reason has ${text.length} characters; ${MAX_REASON_CHARS} are the most.`;
  throw new InvalidInputError(message, {
    code: 'reason_too_long',
    fields: [{ path: 'reason', message, code: 'reason_too_long' }],
  });
}
