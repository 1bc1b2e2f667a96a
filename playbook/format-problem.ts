import type { PlaybookProblem } from './playbook.ts';

/** One line as compilers print it, so that editors jump to the place: `file:line:column: sentence`. */
export function formatProblem({ file, line, column, message }: PlaybookProblem): string {
  return `${file}:${line}:${column}: ${message}`;
}
