import { PickleObject } from './pickle.ts';
import { TorchTensor } from './tensor.ts';

/** Under which names training programs keep the weights of a checkpoint, the most usual first. */
const containers = [
  'state_dict',
  'model_state_dict',
  'model',
  'model_state',
  'net',
  'network',
  'weights',
  'params',
  'module',
  'state_dict_ema',
  'model_ema',
  'ema',
  'ema_state_dict',
  'params_ema',
  'teacher',
  'student',
];
const maxDepth = 12;
/** So many names no network has; a structure that refers to itself has more than any number. */
const maxTensors = 100_000;

export interface NamedTensors {
  tensors: Map<string, TorchTensor>;
  /** The keys that lead to them, e.g. `state_dict`. */
  taken: string[];
  /** Keys beside them under which there are tensors too. */
  left: string[];
}

/** The tensors of whatever `torch.load` would return, by name; none where there are none. */
export function namedTensors(value: unknown): NamedTensors {
  const taken: string[] = [];
  const left: string[] = [];
  let at = value;
  for (let depth = 0; depth < 4; depth++) {
    const entries = entriesOf(at);
    // Tensors right here: this is the dictionary of weights, whatever else it holds.
    if (entries.some(([, entry]) => entry instanceof TorchTensor)) break;
    const holding = entries.filter(([, entry]) => holdsTensors(entry, 4)).map(([key]) => key);
    const key =
      containers.find((one) => holding.includes(one)) ?? (holding.length === 1 ? holding[0] : undefined);
    if (key === undefined || (at instanceof PickleObject && !containers.includes(key))) break;
    taken.push(key);
    left.push(...holding.filter((one) => one !== key && !/optim|sched|scaler/.test(one)));
    at = new Map(entries).get(key);
  }
  const tensors = new Map<string, TorchTensor>();
  collect(at, '', tensors, 0, new Set());
  return { tensors, taken, left };
}

/** Parts of a dictionary, or of an object that is only looked at: a module's are its parameters, buffers and modules. */
function entriesOf(value: unknown): [string, unknown][] {
  const map = value instanceof PickleObject ? value.state : value;
  if (!(map instanceof Map)) return [];
  return [...map].filter((entry): entry is [string, unknown] => typeof entry[0] === 'string');
}

function holdsTensors(value: unknown, depth: number): boolean {
  if (value instanceof TorchTensor) return true;
  return (
    depth > 0 &&
    entriesOf(value)
      .slice(0, 1000)
      .some(([, entry]) => holdsTensors(entry, depth - 1))
  );
}

function collect(
  value: unknown,
  prefix: string,
  into: Map<string, TorchTensor>,
  depth: number,
  open: Set<unknown>,
): void {
  if (value instanceof TorchTensor) {
    if (into.size < maxTensors) into.set(prefix, value);
    return;
  }
  // Optimizers keep their tensors under numbers and in lists: only what has names belongs to a network.
  if (depth >= maxDepth || open.has(value) || into.size >= maxTensors) return;
  open.add(value);
  for (const [key, entry] of entriesOf(value)) {
    const hidden = /^_(parameters|buffers|modules)$/.test(key);
    collect(entry, hidden ? prefix : prefix === '' ? key : `${prefix}.${key}`, into, depth + 1, open);
  }
  open.delete(value);
}
