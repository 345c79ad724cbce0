/**
 * Bundles the desktop app's programs into `dist/electron`: the shell, its preload, the trainer, the reader and the workers.
 * Packages stay outside; they are found in `node_modules`, in the clone as in the packaged app.
 */
import { rmSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Programs that run on their own, by the name of their bundle. */
const programs: Record<string, string> = {
  trainer: 'src-main/trainer/main.ts',
  reader: 'src-main/reader/main.ts',
  'augment-worker': 'src-main/data/augment-worker.ts',
};

export interface BundleOptions {
  outFolder?: string;
  /** Further programs, by name: paths from the root. */
  more?: Record<string, string>;
}

/** Errors: those of the bundler, naming the file and line. */
export async function bundle({
  outFolder = join(root, 'dist', 'electron'),
  more = {},
}: BundleOptions = {}): Promise<void> {
  rmSync(outFolder, { recursive: true, force: true });
  const shared = {
    root,
    configFile: false as const,
    publicDir: false as const,
    logLevel: 'warn' as const,
  };
  const output = { ssr: true, target: 'node24', outDir: outFolder, emptyOutDir: false, minify: false };
  await build({
    ...shared,
    plugins: [fileUrls(outFolder, { ...programs, ...more })],
    build: {
      ...output,
      rolldownOptions: {
        input: { main: 'src-main/hosts/electron/main.ts', ...programs, ...more },
        external: ['electron'],
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
        external: ['electron'],
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  });
}

/**
 * Keeps `new URL('…', import.meta.url)` pointing where it pointed before: programs by the name of their bundle, other
 * files by their way from the bundle's folder.
 */
function fileUrls(outFolder: string, known: Record<string, string>): Plugin {
  const names = new Map(Object.entries(known).map(([name, path]) => [join(root, path), name]));
  return {
    name: 'file-urls',
    transform(code, id) {
      const file = id.split('?')[0];
      if (!file.startsWith(join(root, 'src-'))) return null;
      return code.replaceAll(
        /new URL\(\s*(['"])([^'"]+)\1,\s*import\.meta\.url,?\s*\)/g,
        (_, __, path: string) => {
          const target = resolve(dirname(file), path);
          const name = names.get(target);
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
}

if (import.meta.main) await bundle();
