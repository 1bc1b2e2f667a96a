export class SetupError extends Error {}
export function ensureInstalled(options: {
  root: string;
  needsDev: boolean;
  say: (line: string) => void;
}): Promise<void>;
export function explainNpmFailure(output: string): string;
