import { writeArgv } from './argv-text.ts';

const MAX_LINE = 75; // Slack's most for the text of a box to tick
/** A batch's card shows this much of what runs, beside up to fifty lines. */
export const MAX_BATCH_STEPS = 1_500;

/** What tells one request of a batch from another: `web-1, service=nginx`. */
export function writeBatchLine(action: { server: string; params: Readonly<Record<string, unknown>> }): string {
  return [action.server, ...Object.entries(action.params).map(([name, value]) => `${name}=${String(value)}`)].join(
    ', ',
  );
}

/** Only what a batch shows whole and as it is may share its card: many are approved there with one click. */
export function fitsBatch(action: {
  server: string;
  params: Readonly<Record<string, unknown>>;
  argvPreview: readonly (readonly string[])[];
}): boolean {
  const line = writeBatchLine(action);
  const isLineWhole = line.length <= MAX_LINE && /^[\x20-\x7E]*$/.test(line);
  return isLineWhole && writeArgv(action.argvPreview).length <= MAX_BATCH_STEPS;
}
