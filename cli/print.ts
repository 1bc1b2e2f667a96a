// C0 but tab and line feed, DEL, C1, and what reorders text: none may reach a terminal from elsewhere.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** JSON with --json, else words for a person; neither moves the cursor of a terminal. */
export function print(isJson: boolean | undefined, data: unknown, words: string): void {
  process.stdout.write(`${isJson === true ? toJsonLine(data) : toPlainText(words)}\n`);
}

/** The same value to whoever parses it, with every control character escaped (JSON itself escapes only some). */
export function toJsonLine(data: unknown): string {
  return JSON.stringify(data).replaceAll(
    CONTROLS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Control characters become U+FFFD, but for tabs and ends of lines. */
export function toPlainText(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(CONTROLS, '\ufffd');
}

/** Columns aligned by their widest cell; `empty` where there is no row. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[], empty: string): string {
  if (rows.length === 0) return empty;
  const all = [head, ...rows].map((row) => row.map(toCell));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A line break inside would break the table. */
function toCell(text: string): string {
  return text.replaceAll(/[\t\r\n]+/g, ' ').slice(0, 120);
}
