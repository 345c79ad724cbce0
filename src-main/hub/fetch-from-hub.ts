import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CotuneError } from '../../src-shared/errors.ts';
import { type Configured, configuredBy } from './configuration.ts';
import { download, reason, refuseStatus } from './download.ts';

export interface HubOptions {
  /** Address of the hub. */
  endpoint: string;
  token?: string;
  revision: string;
  /** Bytes of the file that is on its way. */
  onProgress(done: number, total: number): void;
  signal?: AbortSignal;
}

/** A network as it has arrived. */
export interface FetchedModel extends Pick<Configured, 'architecture' | 'preprocessing'> {
  weights: string;
  /** A JSON list of its source classes, where its configuration names them. */
  classes?: string;
}

const Sibling = z.object({
  rfilename: z.string(),
  size: z.number().int().nonnegative(),
  blobId: z.string(),
  lfs: z.object({ sha256: z.string(), size: z.number().int().nonnegative() }).optional(),
});
const Listing = z.object({ sha: z.string().regex(/^[0-9a-f]{7,64}$/), siblings: z.array(Sibling) });
type Sibling = z.infer<typeof Sibling>;

/** Which file of a repository holds the weights: the first that is there. */
const preferred = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];

/**
 * Downloads a network from a Hugging Face hub into `folder`: its weights (all files of them) and its configuration. This is the
 * one place where the program uses the network, and it does so only where a person asks for it. Errors: `not-found`, `bad-input`
 * (not open to the person, no weights), `unavailable` (no network).
 */
export async function fetchFromHub(
  repository: string,
  folder: string,
  options: HubOptions,
): Promise<FetchedModel> {
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository) || repository.includes('..'))
    throw new CotuneError(
      'bad-input',
      `“${repository}” is no repository.`,
      'Name it as OWNER/REPOSITORY, e.g. timm/resnet50.a1_in1k.',
    );
  const endpoint = options.endpoint.replace(/\/+$/, '');
  const headers: Record<string, string> = options.token ? { authorization: `Bearer ${options.token}` } : {};
  const listing = await list(
    `${endpoint}/api/models/${repository}/revision/${encodeURIComponent(options.revision)}?blobs=true`,
    headers,
  );
  const into = join(folder, repository.replace('/', '--'), listing.sha);
  mkdirSync(into, { recursive: true });
  const byName = new Map(listing.siblings.map((file) => [file.rfilename, file]));
  const take = async (file: Sibling): Promise<string> => {
    const path = join(into, file.rfilename);
    const size = file.lfs?.size ?? file.size;
    const digest = file.lfs
      ? ({ kind: 'sha256', hex: file.lfs.sha256 } as const)
      : ({ kind: 'git', hex: file.blobId } as const);
    const url = `${endpoint}/${repository}/resolve/${listing.sha}/${encodeURIComponent(file.rfilename)}`;
    const onBytes = (done: number) => options.onProgress(done, size);
    await download({ url, headers, size, digest }, path, onBytes, options.signal);
    return path;
  };
  const wanted = preferred.map((name) => byName.get(name)).find((file) => file !== undefined);
  const only = listing.siblings.filter(({ rfilename }) => /^[^/]+\.safetensors$/.test(rfilename));
  const main = wanted ?? (only.length === 1 ? only[0] : undefined);
  if (!main)
    throw new CotuneError(
      'bad-input',
      `${repository} holds no weights that are read here: ${listing.siblings
        .map(({ rfilename }) => rfilename)
        .slice(0, 8)
        .join(', ')}.`,
      `Looked for: ${preferred.join(', ')}.`,
    );
  const weights = await take(main);
  if (main.rfilename.endsWith('.index.json')) {
    const map = Object.values(
      (JSON.parse(readFileSync(weights, 'utf8')) as { weight_map?: Record<string, string> }).weight_map ?? {},
    );
    for (const name of new Set(map)) {
      const shard = byName.get(name);
      if (!shard || /[/\\]/.test(name))
        throw new CotuneError('bad-input', `${repository} lacks ${name}.`, 'Tell its owner.');
      await take(shard);
    }
  }
  const documents: unknown[] = [];
  for (const name of ['config.json', 'preprocessor_config.json']) {
    const file = byName.get(name);
    documents.push(file && jsonIn(await take(file)));
  }
  const { classNames, ...configured } = configuredBy(repository, documents[0], documents[1]);
  if (!classNames) return { weights, ...configured };
  const classes = join(into, 'classes.json');
  writeFileSync(classes, JSON.stringify(classNames));
  return { weights, classes, ...configured };
}

/** What makes no sense says nothing. */
function jsonIn(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

async function list(url: string, headers: Record<string, string>): Promise<z.infer<typeof Listing>> {
  try {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(30_000) });
    refuseStatus(answer, url);
    return Listing.parse(await answer.json());
  } catch (error) {
    if (error instanceof CotuneError) throw error;
    throw new CotuneError(
      'unavailable',
      `The hub ${new URL(url).origin} does not answer: ${reason(error)}.`,
      'Check the network, or name another hub (--endpoint, HF_ENDPOINT). Without a network, download the file elsewhere and add it.',
      { cause: error },
    );
  }
}
