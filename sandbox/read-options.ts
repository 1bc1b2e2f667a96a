import { parseArgs } from 'node:util';
import { InvalidInputError } from '../domain/errors.ts';
import { suggestNearest } from '../domain/nearest-word.ts';

/**
 * The options of one sandbox command, by name. With `--help` it prints `usage` and ends the process. Throws
 * InvalidInputError `unknown_option`.
 */
export function readOptions<const O extends Record<string, { type: 'string' | 'boolean' }>>(
  usage: string,
  options: O,
): ReturnType<typeof parseArgs<{ options: O }>>['values'] {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  try {
    return parseArgs({ args, options }).values;
  } catch (cause) {
    const wrong = args.find((arg) => !Object.keys(options).includes(arg.replace(/^--/, ''))) ?? '';
    const hint = suggestNearest(wrong.replace(/^--/, ''), Object.keys(options));
    throw new InvalidInputError(`There is no option ${JSON.stringify(wrong)} here.${hint}\n${usage}`, {
      code: 'unknown_option',
      cause,
    });
  }
}
