import { InvalidInputError } from '../domain/errors.ts';
import { suggestNearest } from '../domain/nearest-word.ts';
import { parsePlaybook } from './parse.ts';
import type { Playbook, PlaybookProblem } from './playbook.ts';

export interface Catalog {
  playbooks: ReadonlyMap<string, Playbook>;
  problems: PlaybookProblem[];
}

/**
 * All playbooks of a directory. Each file must bear its playbook's name. Of two with one name neither is taken:
 * which of them runs must not depend on the order of a directory listing.
 */
export function createCatalog(files: readonly { file: string; text: string }[]): Catalog {
  const problems: PlaybookProblem[] = [];
  const found = new Map<string, { file: string; playbook: Playbook | undefined }>();
  for (const input of [...files].sort((a, b) => (a.file < b.file ? -1 : 1))) {
    const expectedName = nameOfFile(input.file);
    const parsed = parsePlaybook({ ...input, expectedName });
    problems.push(...parsed.problems);
    const first = found.get(expectedName);
    if (first === undefined) {
      found.set(expectedName, { file: input.file, playbook: parsed.playbook });
      continue;
    }
    const message = `The playbook "${expectedName}" is already in ${first.file}; keep one of the two.`;
    problems.push({ file: input.file, line: 1, column: 1, message, code: 'duplicate_name' });
    found.set(expectedName, { file: first.file, playbook: undefined });
  }
  const playbooks = new Map<string, Playbook>();
  for (const [name, { playbook }] of found) if (playbook !== undefined) playbooks.set(name, playbook);
  return { playbooks, problems };
}

/** By the name a person types: `_` and `-` are the same. Throws `InvalidInputError` (`unknown_playbook`). */
export function findPlaybook(catalog: Pick<Catalog, 'playbooks'>, typedName: string): Playbook {
  const playbook = catalog.playbooks.get(typedName.replaceAll('_', '-'));
  if (playbook !== undefined) return playbook;
  const names = [...catalog.playbooks.keys()];
  const hint = suggestNearest(typedName, names) || ` Known: ${names.slice(0, 20).join(', ') || 'none'}.`;
  const message = `There is no playbook ${JSON.stringify(typedName.slice(0, 80))}.${hint}`;
  const code = 'unknown_playbook';
  throw new InvalidInputError(message, { code, fields: [{ path: 'playbook', message, code }] });
}

function nameOfFile(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1).replace(/\.ya?ml$/, '');
}
