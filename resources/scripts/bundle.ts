/**
 * Bundles the desktop app's programs into `dist/electron`: the shell, its preload, the trainer, the reader and the workers,
 * with the packages that are JavaScript alone. Those with native code stay outside; they are found in `node_modules`, in the
 * clone as in the packaged app, for which electron-builder.yml names them again.
 */
import { renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

const root = fileURLToPath(new URL('../../', import.meta.url));
const outFolder = join(root, 'dist', 'electron');

/** Programs that run on their own, by the name of their bundle. */
const programs: Record<string, string> = {
  trainer: 'src-main/trainer/main.ts',
  reader: 'src-main/reader/main.ts',
  'augment-worker': 'src-main/data/augment-worker.ts',
};

/** Packages that a program asks for by name when it runs: those with native code, and what a person may install. */
const outside = [
  'electron',
  'better-sqlite3',
  'onnxruntime-node',
  'sharp',
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs-node-gpu',
];

/** Whole or not at all: what was there before stays until the new one is. Errors: those of the bundler, naming the file and line. */
export async function bundle(): Promise<void> {
  const unfinished = `${outFolder}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  const shared = {
    root,
    configFile: false as const,
    publicDir: false as const,
    logLevel: 'warn' as const,
    ssr: { noExternal: true as const, external: outside },
  };
  const output = { ssr: true, target: 'node24', outDir: unfinished, emptyOutDir: false, minify: false };
  await build({
    ...shared,
    plugins: [fileUrls, globalFetch],
    build: {
      ...output,
      license: { fileName: 'licenses.md' },
      rolldownOptions: {
        input: { main: 'src-main/hosts/electron/main.ts', ...programs },
        output: { entryFileNames: '[name].js', chunkFileNames: 'chunk-[name]-[hash].js' },
      },
    },
  });
  // A sandboxed preload is one CommonJS file.
  await build({
    ...shared,
    build: {
      ...output,
      rolldownOptions: {
        input: { preload: 'src-main/hosts/electron/preload.ts' },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  });
  rmSync(outFolder, { recursive: true, force: true });
  renameSync(unfinished, outFolder);
}

/**
 * Keeps `new URL('…', import.meta.url)` pointing where it pointed before: programs by the name of their bundle, other
 * files by their way from the bundle's folder.
 */
const fileUrls: Plugin = {
  name: 'file-urls',
  transform(code, id) {
    const file = id.split('?')[0];
    if (!file.startsWith(join(root, 'src-'))) return null;
    return code.replaceAll(
      /new URL\(\s*(['"])([^'"]+)\1,\s*import\.meta\.url,?\s*\)/g,
      (_, __, path: string) => {
        const target = resolve(dirname(file), path);
        const [name] = Object.entries(programs).find(([, source]) => join(root, source) === target) ?? [];
        if (target.endsWith('.ts') && !name)
          this.error(
            `${file} starts ${target}, which is not among the programs of ${basename(import.meta.filename)}.`,
          );
        const inFolder = basename(target) === 'preload.cjs' ? './preload.cjs' : null;
        const way = name ? `./${name}.js` : (inFolder ?? relative(outFolder, target).split(sep).join('/'));
        return `new URL(${JSON.stringify(path.endsWith('/') ? `${way}/` : way)}, import.meta.url)`;
      },
    );
  },
};

/** tf.js brings a `fetch` along for a Node that has none. */
const globalFetch: Plugin = {
  name: 'global-fetch',
  enforce: 'pre',
  resolveId: (id) => (id === 'node-fetch' ? '\0global-fetch' : null),
  load: (id) => (id === '\0global-fetch' ? 'export default globalThis.fetch;' : null),
};

if (import.meta.main) await bundle();
