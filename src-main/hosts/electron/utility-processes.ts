import { fileURLToPath } from 'node:url';
import type { SpawnReader } from '../../service/spawn-reader.ts';
import type { SpawnTrainer } from '../../service/spawn-trainer.ts';
import { forkUtility } from './utility-process.ts';

const trainer = fileURLToPath(new URL('../../trainer/main.ts', import.meta.url));
const reader = fileURLToPath(new URL('../../reader/main.ts', import.meta.url));

export const spawnUtilityTrainer: SpawnTrainer = () =>
  forkUtility(trainer, { name: 'Cotuning Studio trainer', begins: (message) => message.type === 'start' });

/** Node's permission model is not Electron's: here the reader is held by being a process of its own. */
export const spawnUtilityReader: SpawnReader = (_, maxBytes) =>
  forkUtility(reader, { name: 'Cotuning Studio reader', args: [String(maxBytes)] });
