/** The headless host as a person starts it, with a home of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface RealHost {
  url: string;
  stop(): Promise<void>;
}

/** Keeps its home in `folder`, whose files it may read. */
export async function startHost(folder: string): Promise<RealHost> {
  const program = fileURLToPath(new URL('../../src-main/cli/cotune.mjs', import.meta.url));
  const host = spawn(
    process.execPath,
    [program, 'serve', '--home', join(folder, 'home'), '--allow', folder],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  for await (const line of createInterface({ input: host.stdout! })) {
    const [url] = /http:\/\/127\.0\.0\.1:\d+\/\S*/.exec(line) ?? [];
    if (!url) continue;
    return {
      url,
      async stop() {
        if (host.exitCode !== null) return;
        const ended = once(host, 'exit');
        host.kill('SIGINT');
        await ended;
      },
    };
  }
  throw new Error('The host ended without printing its URL.');
}
