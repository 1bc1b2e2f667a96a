import type { LineCounter } from 'yaml';
import type { PlaybookProblem } from './playbook.ts';

/** Collects every mistake of one file; offsets become lines and columns, and the list is told in their order. */
export class Problems {
  readonly file: string;
  readonly #lines: LineCounter;
  readonly #found: { at: number; problem: PlaybookProblem }[] = [];

  constructor(file: string, lines: LineCounter) {
    this.file = file;
    this.#lines = lines;
  }

  add(at: number, code: string, message: string): void {
    const { line, col } = this.#lines.linePos(at);
    const problem = { file: this.file, line: Math.max(1, line), column: Math.max(1, col), message, code };
    this.#found.push({ at, problem });
  }

  get isEmpty(): boolean {
    return this.#found.length === 0;
  }

  list(): PlaybookProblem[] {
    return [...this.#found].sort((a, b) => a.at - b.at).map((found) => found.problem);
  }
}
