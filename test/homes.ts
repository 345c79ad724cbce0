/** Data folders as the programs of every schema left them: see `contract/make-home.ts`. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const homes = fileURLToPath(new URL('./fixtures/homes', import.meta.url));

export const homeSchemas = readdirSync(homes)
  .map((name) => Number(name.replace('schema-', '')))
  .sort((a, b) => a - b);

export function copyHome(schema: number, folder: string): void {
  const home = join(homes, `schema-${schema}`);
  if (existsSync(join(home, 'runs'))) cpSync(join(home, 'runs'), join(folder, 'runs'), { recursive: true });
  writeFileSync(join(folder, 'cotune.sqlite'), gunzipSync(readFileSync(join(home, 'cotune.sqlite.gz'))));
}
