/** Controls (C0, DEL, C1), formats (bidi, zero width), line and paragraph separators, lone surrogates. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** The first character that a person would not see in a preview, as `U+202E`; undefined where there is none. */
export function findHiddenCharacter(text: string): string | undefined {
  const match = HIDDEN.exec(text);
  if (match === null) return undefined;
  return `U+${(match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** What is wrong with a text as one argument, as the rest of a sentence; undefined where nothing is. */
export function findArgumentFault(text: string): string | undefined {
  if (text === '') return 'must not be empty';
  if (text.startsWith('-')) return 'must not start with "-", or a program would take it for an option';
  const hidden = findHiddenCharacter(text);
  return hidden === undefined ? undefined : `must not hold the control or invisible character ${hidden}`;
}

/** What keeps a text from being an absolute, normalised path, as the rest of a sentence. Purely lexical. */
export function findPathFault(path: string): string | undefined {
  if (!path.startsWith('/')) return 'must be an absolute path';
  if (path === '/') return undefined;
  const segments = path.slice(1).split('/');
  if (segments.includes('..')) return 'must not hold ".."';
  if (segments.includes('.') || segments.includes(''))
    return 'must be normalised: no "//", no "/./", no "/" at the end';
  if (segments.some((segment) => segment.trim() !== segment)) return 'must not begin or end a name with a space';
  return undefined;
}

export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
