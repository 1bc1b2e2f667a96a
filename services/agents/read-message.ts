import type { FieldError } from '../../domain/errors.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import { SUPPORTED_PROTOCOLS } from '../../protocol/limits.ts';
import { readProtocol } from '../../protocol/messages.ts';

/** Throws `unsupported_protocol` before anything else of a message is judged: another protocol has other fields. */
export function checkProtocol(body: unknown): void {
  const protocol = readProtocol(body);
  if (protocol === undefined || SUPPORTED_PROTOCOLS.includes(protocol)) return;
  const known = SUPPORTED_PROTOCOLS.join(' and ');
  throw new InvalidInputError(`This control plane speaks protocol ${known}, not ${protocol}: update the agent.`, {
    code: 'unsupported_protocol',
    details: { supported: SUPPORTED_PROTOCOLS },
  });
}

/** Throws `invalid_message` with every field that is wrong. */
export function readOrThrow<T>(
  reading: { isValid: true; value: T } | { isValid: false; errors: readonly FieldError[] },
  what: string,
): T {
  if (reading.isValid) return reading.value;
  const [first] = reading.errors;
  throw new InvalidInputError(`The ${what} is malformed: ${first?.path ?? 'body'} ${first?.message ?? 'is wrong'}.`, {
    code: 'invalid_message',
    fields: reading.errors,
  });
}
