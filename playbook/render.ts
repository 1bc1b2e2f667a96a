import { formatDuration } from '../domain/duration.ts';
import { InvalidInputError } from '../domain/errors.ts';
import { MIN_TIMEOUT_MS } from './limits.ts';
import type { ParamValues, Playbook, Step, Wait } from './playbook.ts';
import { findArgumentFault } from './safe-text.ts';
import { parseArgument } from './slots.ts';

export type RenderedStep =
  | { kind: 'run'; argv: string[]; wait?: Wait }
  | {
      kind: 'uses';
      uses: string;
      with: Record<string, string>;
      /** For each key of `with`, the directories that the playbook confines it to. */
      within: Record<string, readonly string[]>;
      wait?: Wait;
    };

/**
 * Fills the slots with values that `checkParams` accepted. Each argument of the template becomes exactly one
 * argument, the program stays as written, and a value is never altered. Throws `InvalidInputError`
 * (`invalid_params`) where a value is missing or could not be an argument at all.
 */
export function renderSteps(
  playbook: Playbook,
  values: ParamValues,
): { steps: RenderedStep[]; verify: RenderedStep[]; rollback: RenderedStep[] } {
  const render = (step: Step): RenderedStep => renderStep({ playbook, values, step });
  return {
    steps: playbook.steps.map(render),
    verify: playbook.verify.map(render),
    rollback: playbook.rollback.map(render),
  };
}

/** The exact argv of each step, then of each verification; a built-in step as its name and `key=value`. */
export function previewSteps(playbook: Playbook, values: ParamValues): string[][] {
  const { steps, verify } = renderSteps(playbook, values);
  return [...steps, ...verify].map((step) =>
    step.kind === 'run'
      ? step.argv
      : [step.uses, ...Object.entries(step.with).map(([key, value]) => `${key}=${value}`)],
  );
}

/** The requested timeout where the playbook allows it, else its own. Throws `timeout_too_long`, `invalid_timeout`. */
export function effectiveTimeoutMs(playbook: Playbook, requestedMs?: number): number {
  if (requestedMs === undefined) return playbook.timeoutMs;
  if (!Number.isSafeInteger(requestedMs) || requestedMs < MIN_TIMEOUT_MS) {
    const message = `The timeout must be at least ${formatDuration(MIN_TIMEOUT_MS)}, in whole milliseconds.`;
    throw new InvalidInputError(message, timeoutError('invalid_timeout', message));
  }
  if (requestedMs > playbook.maxTimeoutMs) {
    const longest = formatDuration(playbook.maxTimeoutMs);
    const message = `${playbook.name} may run for ${longest} at most, not ${formatDuration(requestedMs)}.`;
    throw new InvalidInputError(message, timeoutError('timeout_too_long', message));
  }
  return requestedMs;
}

function timeoutError(code: string, message: string) {
  return { code, fields: [{ path: 'timeout_s', code, message }] };
}

function renderStep(input: { playbook: Playbook; values: ParamValues; step: Step }): RenderedStep {
  const { playbook, step, values } = input;
  const wait = step.wait === undefined ? {} : { wait: step.wait };
  const fill = (text: string): string => fillArgument(text, values);
  if (step.kind === 'run') {
    const [program = '', ...rest] = step.argv;
    return { kind: 'run', argv: [program, ...rest.map(fill)], ...wait };
  }
  const pairs = Object.entries(step.with);
  return {
    kind: 'uses',
    uses: step.uses,
    with: Object.fromEntries(pairs.map(([key, text]) => [key, fill(text)])),
    within: Object.fromEntries(pairs.map(([key, text]) => [key, directoriesOf(playbook, text)])),
    ...wait,
  };
}

function directoriesOf(playbook: Playbook, text: string): readonly string[] {
  const argument = parseArgument(text);
  const spec = argument?.kind === 'slot' ? playbook.params[argument.param] : undefined;
  return spec?.type === 'path' ? spec.within : [];
}

function fillArgument(text: string, values: ParamValues): string {
  const argument = parseArgument(text);
  if (argument?.kind === 'text') return argument.text;
  const value = argument !== undefined && Object.hasOwn(values, argument.param) ? values[argument.param] : undefined;
  const fault = value === undefined ? 'is missing' : findArgumentFault(String(value));
  if (argument === undefined || value === undefined || fault !== undefined) {
    throw new InvalidInputError(`The value for "${text}" ${fault ?? 'is missing'}.`, { code: 'invalid_params' });
  }
  return argument.prefix + String(value);
}
