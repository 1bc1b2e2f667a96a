/** `*` stands for any run of characters; everything else for itself. */
export function matchesGlob(glob: string, text: string): boolean {
  const parts = glob.split('*');
  const [first = ''] = parts;
  if (parts.length === 1) return glob === text;
  const last = parts.at(-1) ?? '';
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from);
    if (at < 0 || at + part.length > text.length - last.length) return false;
    from = at + part.length;
  }
  return true;
}
