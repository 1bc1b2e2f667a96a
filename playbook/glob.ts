/**
 * `*` stands for any run of characters without `/`, `**` for any run at all; everything else for itself. The whole
 * value must match. Linear in pattern × value: it walks, it does not backtrack.
 */
export function compileGlob(glob: string): (value: string) => boolean {
  const tokens = glob.match(/\*{2,}|\*|[^*]/gu) ?? [];
  return (value) => {
    let present = new Set([0]);
    skipStars(tokens, present);
    for (const character of value) {
      const next = new Set<number>();
      for (const index of present) {
        const token = tokens[index];
        if (token === undefined) continue;
        if (token.startsWith('**') || (token === '*' && character !== '/')) next.add(index);
        else if (token === character && token !== '*') next.add(index + 1);
      }
      skipStars(tokens, next);
      present = next;
    }
    return present.has(tokens.length);
  };
}

function skipStars(tokens: readonly string[], present: Set<number>): void {
  for (const index of present) if (tokens[index]?.startsWith('*') === true) present.add(index + 1);
}
