/**
 * One line of a table (RFC 4180), its end included. The one rule for every column of every table: a value stands exactly
 * as it is, quoted where it holds a comma, a quote mark or a line break. Nothing is put before a name that a spreadsheet
 * would take for a formula (`=`, `+`, `-`, `@`), because then it would no longer be the name that folders, columns
 * and other tables have.
 */
export const csvLine = (cells: readonly (string | number)[]): string => `${cells.map(field).join(',')}\n`;

function field(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The rows of a table (RFC 4180); blank lines are left out. */
export function csvRows(text: string): string[][] {
  const rows: string[][] = [];
  let cells: string[] = [];
  // A cell in quotes or one without, and what ends it.
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    if (cells.some((cell) => cell !== '')) rows.push(cells);
    cells = [];
  }
  return rows;
}
