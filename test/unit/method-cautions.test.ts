import { expect, test } from 'vitest';
import { cotuning } from '../../src-main/transfer/methods/cotuning.ts';
import type { Preparation } from '../../src-main/transfer/term.ts';

async function notesOf(
  tradeOff: number,
  steps: number,
  size: number,
  { warmup = 0, weights = 2e6 } = {},
): Promise<string[]> {
  const notes: string[] = [];
  const preparation = {
    network: { targetClasses: 2, backbone: { tensors: [{ shape: [weights / 10, 10] }] } },
    seed: 0,
    steps,
    size,
    ownSize: 224,
    relationship: async () => Float32Array.of(1, 0, 0, 1),
    note: (text: string) => notes.push(text),
  } as unknown as Preparation;
  await cotuning.prepare!(preparation, {
    ...{ tradeOff, warmup, sourceHeadRate: 1 },
    ...{ approach: 'reverse', shuffled: false },
  });
  return notes;
}

test("'cotuning' says where it was found to be in the way: a large λ in few steps of a small network, pictures of less than half the network's side", async () => {
  expect(await notesOf(0.23, 300, 128)).toEqual([]);
  expect(await notesOf(2.3, 9050, 224)).toEqual([]);
  expect(await notesOf(2.3, 300, 128)).toEqual([expect.stringContaining('A λ of 2.3 weighs heavily in 300')]);
  expect(await notesOf(2.3, 300, 128, { warmup: 150 })).toEqual([]);
  expect(await notesOf(2.3, 300, 128, { weights: 23e6 })).toEqual([]);
  expect(await notesOf(0.23, 300, 96)).toEqual([expect.stringContaining('pictures of 224 px and sees 96')]);
});
