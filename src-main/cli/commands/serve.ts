import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { startServer } from '../../hosts/headless/server.ts';
import { onInterrupt } from '../interrupt.ts';
import { printText } from '../output.ts';
import { ensureRenderer } from '../renderer-build.ts';
import { type CommonOptions, common, number, withService } from '../session.ts';

interface Options extends CommonOptions {
  /** 0 for any free one. */
  port: number;
  /** Folders that it keeps to; the person's home folder where none is named. */
  allow?: string[];
}

export function serveCommand(program: Command): void {
  common(program.command('serve'), [
    'cotune serve',
    'cotune serve --port 8080',
    'cotune serve --allow /data/photos --allow ~/networks',
    'ssh -L 8080:127.0.0.1:8080 gpu-box cotune serve --port 8080',
  ])
    .description('the app in a browser, on 127.0.0.1 only')
    .option('--port <n>', 'port (default: any free one)', number, 0)
    .option(
      '--allow <folder...>',
      'folders whose files it may use, beside the datasets’ own (default: your home folder)',
    )
    .action(serve);
}

/** Serves the app until an interrupt. The URL goes to stdout; its token is the key to this launch. */
export const serve = (options: Options): Promise<void> =>
  withService({ ...options, queue: 'all' }, async (service) => {
    ensureRenderer();
    const server = await startServer({
      service,
      port: options.port,
      folders: [...(options.allow ?? [homedir()]), options.home].map((folder) => resolve(folder)),
    });
    await printText(
      options.json ? JSON.stringify({ url: server.url, port: server.port }, null, 2) : server.url,
    );
    console.error(
      'Open this URL in a browser. Ctrl-C ends the server; a running run goes on from its checkpoint next time.',
    );
    await new Promise<void>((resolve) => {
      onInterrupt('Stopping…', resolve);
    });
    await server.close();
    return { json: undefined, text: '' };
  });
