/** The candidate nearest to what was typed, or undefined where none is near enough to be a likely slip. */
export function findNearestWord(typed: string, candidates: Iterable<string>): string | undefined {
  const wanted = normalize(typed);
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(wanted.length / 3)) + 1; // beyond a third of the word it is another word
  for (const candidate of candidates) {
    const distance = countEdits(wanted, normalize(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** ` Did you mean "x"?`, or nothing: to append to a sentence. */
export function suggestNearest(typed: string, candidates: Iterable<string>): string {
  const nearest = findNearestWord(typed, candidates);
  return nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
}

function normalize(word: string): string {
  return word.slice(0, 100).toLowerCase().replaceAll('_', '-');
}

/** Edits between two words, a swap of neighbours counted as one (optimal string alignment). */
function countEdits(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...Array<number>(b.length).fill(0)]);
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let j = 0; j <= b.length; j++) (rows[0] as number[])[j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let edits = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + cost);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) edits = Math.min(edits, at(i - 2, j - 2) + 1);
      (rows[i] as number[])[j] = edits;
    }
  }
  return at(a.length, b.length);
}
