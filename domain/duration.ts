const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** The form of a duration; it matches the empty text too, which is none. */
export const DURATION_PATTERN = '^(?:(\\d{1,9})d)?(?:(\\d{1,9})h)?(?:(\\d{1,9})m)?(?:(\\d{1,9})s)?(?:(\\d{1,9})ms)?$';
const DURATION = new RegExp(DURATION_PATTERN);

/** `30s`, `10m`, `1h30m`, `500ms`: whole numbers, largest unit first. Undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null || text === '') return undefined;
  const factors = Object.values(UNITS_MS);
  const totalMs = match.slice(1).reduce((sum, digits, i) => sum + Number(digits ?? 0) * (factors[i] ?? 0), 0);
  return Number.isSafeInteger(totalMs) ? totalMs : undefined;
}

/** The shortest exact form that `parseDurationMs` reads back: 5400000 → `1h30m`. `ms` is a whole number ≥ 0. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, factor] of Object.entries(UNITS_MS)) {
    const count = Math.floor(rest / factor);
    rest -= count * factor;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : text;
}
