/** A server that plays the Hugging Face hub with one repository, `timm/net`. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the hub answers one request for the weights; `from`: the first byte asked for. */
export type Mood = (request: IncomingMessage, response: ServerResponse, from: number) => void;

export interface LocalHub {
  endpoint: string;
  /** The repository's commit. */
  sha: string;
  /** How it behaves towards requests for the weights, one after another; then well. */
  moods: Mood[];
  /** Ranges that were asked for. */
  ranges: (string | undefined)[];
  close(): void;
}

export async function startLocalHub({
  weights,
  config,
  token,
}: {
  weights: Buffer;
  config: Buffer;
  token: string;
}): Promise<LocalHub> {
  const sha = 'a'.repeat(40);
  const listing = {
    sha,
    siblings: [
      { rfilename: 'README.md', size: 1, blobId: 'x' },
      {
        rfilename: 'model.safetensors',
        size: weights.length,
        blobId: 'x',
        lfs: { sha256: createHash('sha256').update(weights).digest('hex'), size: weights.length },
      },
      {
        rfilename: 'config.json',
        size: config.length,
        blobId: createHash('sha1').update(`blob ${config.length}\0`).update(config).digest('hex'),
      },
    ],
  };
  const moods: Mood[] = [];
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end();
    if (request.url === '/api/models/timm/net/revision/main?blobs=true')
      return void response.end(JSON.stringify(listing));
    if (request.url === `/timm/net/resolve/${sha}/config.json`) return void response.end(config);
    if (request.url !== `/timm/net/resolve/${sha}/model.safetensors`)
      return void response.writeHead(404).end();
    ranges.push(request.headers.range);
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const mood = moods.shift();
    if (mood) return mood(request, response, from);
    response.writeHead(from > 0 ? 206 : 200).end(weights.subarray(from));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sha,
    moods,
    ranges,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
