import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Titles of the renderer's dialogs as its sources write them, where they do: what a template fills in may be anything. */
export function dialogTitles(): RegExp[] {
  const folder = fileURLToPath(new URL('../../src-renderer/', import.meta.url));
  const sources = globSync(`${folder}**/*.svelte`).map((file) => readFileSync(file, 'utf8'));
  const titles = sources.flatMap((source) => [
    ...source.matchAll(/<(?:Dialog|WriteDialog|Confirm|Viewer)\s+title=(?:"([^"]+)"|\{`([^`]+)`\})/g),
  ]);
  return titles.map(([, text, template]) => {
    const fixed = (text ?? template).split(/\$\{[^}]*\}/);
    return new RegExp(`^${fixed.map((part) => part.replace(/[?.()]/g, '\\$&')).join('.*')}$`);
  });
}
