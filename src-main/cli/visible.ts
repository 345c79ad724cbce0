/**
 * Names of files and classes come from anywhere, and a terminal obeys what it reads: control characters, and marks that turn the direction of
 * text, are shown as what they are. Line ends stay.
 */
export const visible = (text: string): string =>
  text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (character) =>
    character === '\n' ? character : escaped(character),
  );

/** The same for what has to stay on one line. */
export const visibleOnOneLine = (text: string): string => visible(text).replaceAll('\n', escaped('\n'));

function escaped(character: string): string {
  const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
  return short ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
