import { parseDurationMs } from '../domain/duration.ts';
import { InvalidInputError } from '../domain/errors.ts';

/** The end that `--until TIME` or `--for DURATION` says, in ISO 8601; at most one of them. */
export function readUntil(times: { until?: string; for?: string }): string | undefined {
  if (times.for === undefined) return times.until;
  const ms = parseDurationMs(times.for);
  if (ms !== undefined && times.until === undefined) return new Date(Date.now() + ms).toISOString();
  const message = 'Give either --until with a time, or --for with a duration such as 2h.';
  throw new InvalidInputError(message, { code: 'wrong_use' });
}
