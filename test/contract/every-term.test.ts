import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { traitsOf } from '../../src-main/backbones/traits.ts';
import { readSafetensorsHeader, readTensors } from '../../src-main/formats/safetensors.ts';
import { checkpointPath } from '../../src-main/trainer/checkpoint.ts';
import { keepEngine } from '../../src-main/trainer/kept-engine.ts';
import type { TrainJob } from '../../src-main/trainer/protocol.ts';
import { catalog } from '../../src-main/transfer/catalog.ts';
import type { Part } from '../../src-shared/domain.ts';
import { type PartDescription, whyNot, whyNotTogether } from '../../src-shared/parts.ts';
import { converse, trainerFixture } from './trainer-fixture.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

process.env.COTUNE_NETWORKS = fileURLToPath(new URL('../fixtures/networks', import.meta.url));

/** The second is for those parts alone that the first cannot have. */
const networks = ['resnet18', 'two_layer_transformer'] as const;
type NetworkName = (typeof networks)[number];

const fixtures = new Map<NetworkName, Awaited<ReturnType<typeof trainerFixture>>>();
/** Trained weights of a run that may teach. */
let teacher: string;
const engines = keepEngine();
beforeAll(async () => {
  for (const network of networks) fixtures.set(network, await trainerFixture(network));
  teacher = (await trained('resnet18', { method: [{ name: 'finetune' }] })).weights;
});
afterAll(async () => {
  delete process.env.COTUNE_NETWORKS;
  await engines.dispose();
});

/** A part with what has to be given: a run's number for what names a run. */
const chosen = ({ name, options }: PartDescription): Part => ({
  name,
  ...Object.fromEntries(options.filter(({ of }) => of === 'run').map((option) => [option.name, 1])),
});

/** Four steps, with a checkpoint after two. */
async function trained(
  network: NetworkName,
  parts: { method: Part[]; extras?: Part[] },
  resumeFrom: string | null = null,
) {
  const fixture = fixtures.get(network)!;
  const samples = { ...fixture.samples, test: [] };
  const schedule = { name: 'step', decayAt: [3], decayFactor: 0.1 };
  const changes = { ...parts, steps: 4, checkpointEvery: 2, schedule };
  const job: TrainJob = fixture.job(changes, { samples, resumeFrom, teacher: teacher ?? null });
  const transcript = await converse(job, undefined, undefined, engines);
  return {
    weights: join(job.runFolder, 'weights.safetensors'),
    middle: checkpointPath(job.runFolder, 2),
    end: transcript.all('checkpoint').at(-1)?.path,
  };
}

/** Everything that a run ends with: the network, and what its parts go on from. */
function ends({ weights, end }: Awaited<ReturnType<typeof trained>>) {
  const header = end && readSafetensorsHeader(end);
  const state = header && Object.fromEntries(readTensors(header, Object.keys(header.tensors)));
  return { weights: readFileSync(weights), state };
}

const parts = catalog();
const slotOf = new Map(
  (['method', 'extras'] as const).flatMap((slot) => parts[slot].map((part) => [part, slot] as const)),
);

/** All methods and extras, each with the first network that can have it, in as few runs as go together. */
const groups: { network: NetworkName; group: PartDescription[] }[] = [];
for (const part of slotOf.keys()) {
  const network = networks.find(
    (name) => whyNot(part, { sourceClasses: ['a', 'b', 'c'] }, traitsOf({ architecture: name })) === null,
  )!;
  const fitting = groups.find((one) => one.network === network && !whyNotTogether([...one.group, part]));
  if (fitting) fitting.group.push(part);
  else groups.push({ network, group: [part] });
}

test.each(
  groups.map(({ network, group }) => [network, group.map(({ name }) => name).join(', '), group] as const),
)(
  'two runs end alike to the bit, also one that went on from its middle: %s with %s',
  async (network, _, group) => {
    const of = (slot: 'method' | 'extras') => group.filter((part) => slotOf.get(part) === slot).map(chosen);
    const method = of('method');
    const choice = { method: method.length > 0 ? method : [{ name: 'finetune' }], extras: of('extras') };
    const first = await trained(network, choice);
    expect(ends(await trained(network, choice))).toEqual(ends(first));
    if (!group.some(({ closedForm }) => closedForm))
      expect(ends(await trained(network, choice, first.middle))).toEqual(ends(first));
  },
);
