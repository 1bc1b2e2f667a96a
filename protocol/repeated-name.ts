/**
 * Whether an object in this JSON text, which reads as `value`, has one name twice. JSON.parse keeps the last of them and
 * others the first, so one line would say two things under one hash.
 */
export function hasRepeatedName(text: string, value: unknown): boolean {
  return countNamesInText(text) !== countNames(value);
}

/** Takes whole strings, so that what stands in one is never read as a name; only a name is followed by a colon. */
function countNamesInText(text: string): number {
  const strings = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)];
  return strings.filter(([, colon]) => colon !== undefined).length;
}

function countNames(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  const own = Array.isArray(value) ? 0 : members.length;
  return members.reduce<number>((sum, member) => sum + countNames(member), own);
}
