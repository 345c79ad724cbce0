import { DamagedFile } from '../file-bytes.ts';

/**
 * Python's pickle format, protocols 0 to 5, read without executing anything: a global is what `Globals` makes of its name, and
 * what it does not know it refuses. https://docs.python.org/3/library/pickletools.html
 * Bounds kept here, so that a hostile stream costs an error and nothing more: strings lie within the stream, values and
 * operations are counted, integers have at most a thousand digits, nothing is recursive.
 */
const maxOperations = 5_000_000;
const maxDigits = 1000;

/** What a stream calls: a function of this program's that stands for one of Python's. */
export type PickleFunction = (args: unknown[]) => unknown;

/** An instance of a class that is only looked at: its class's name and what was put into it. */
export class PickleObject {
  readonly className: string;
  readonly state = new Map<unknown, unknown>();
  constructor(className: string) {
    this.className = className;
  }
}

/** What a stream may refer to. */
export interface Globals {
  /** Stands for `module.name`. Throws where it is refused. */
  global(module: string, name: string): unknown;
  /** Stands for an object that is kept outside the stream. */
  persistent(id: unknown): unknown;
}

/**
 * Reads one pickle that begins at `start`. Tuples and lists are arrays, dictionaries Maps, bytes Uint8Arrays, big integers
 * bigints. Throws `DamagedFile`, or what `globals` throws.
 * @returns the value and where the stream goes on behind it.
 */
export function unpickle(
  bytes: Uint8Array,
  start: number,
  globals: Globals,
): { value: unknown; end: number } {
  return new Unpickler(bytes, start, globals).run();
}

const utf8 = new TextDecoder('utf-8');
const latin1 = new TextDecoder('latin1');

class Unpickler {
  #bytes: Uint8Array;
  #view: DataView;
  #at: number;
  #globals: Globals;
  #stack: unknown[] = [];
  /** Heights of the stack at the marks that are open. */
  #marks: number[] = [];
  #memo = new Map<number, unknown>();
  #operations = 0;

  constructor(bytes: Uint8Array, start: number, globals: Globals) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#globals = globals;
  }

  run(): { value: unknown; end: number } {
    for (;;) {
      this.count(1);
      const code = String.fromCharCode(this.byte());
      if (code === '.') return { value: this.pop(), end: this.#at };
      const operation = operations[code];
      if (!operation)
        throw new DamagedFile(`its pickle holds the unknown operation 0x${code.charCodeAt(0).toString(16)}`);
      operation(this);
    }
  }

  count(steps: number): void {
    this.#operations += steps;
    if (this.#operations > maxOperations) throw new DamagedFile('its pickle is longer than any checkpoint’s');
  }

  skip(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at)
      throw new DamagedFile('its pickle is cut off, or claims more than there is');
    this.#at += length;
    return at;
  }

  byte = (): number => this.#bytes[this.skip(1)];
  uint16 = (): number => this.#view.getUint16(this.skip(2), true);
  int32 = (): number => this.#view.getInt32(this.skip(4), true);
  uint32 = (): number => this.#view.getUint32(this.skip(4), true);
  uint64 = (): number => Number(this.#view.getBigUint64(this.skip(8), true));
  /** The one number of a pickle that is big-endian. */
  double = (): number => this.#view.getFloat64(this.skip(8), false);

  take(length: number): Uint8Array {
    const at = this.skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0) throw new DamagedFile('its pickle is cut off in a line');
    const text = latin1.decode(this.take(end - this.#at));
    this.skip(1);
    return text;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0))
      throw new DamagedFile('its pickle takes more than there is');
    return this.#stack.pop();
  }

  top(): unknown {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** What lies above the last mark, which is closed. */
  above(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw new DamagedFile('its pickle closes what it did not open');
    return this.#stack.splice(mark);
  }

  popMany(count: number): unknown[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  remember(index: number): void {
    this.#memo.set(index, this.top());
  }

  rememberNext(): void {
    this.remember(this.#memo.size);
  }

  recall(index: number): void {
    if (!this.#memo.has(index))
      throw new DamagedFile(`its pickle refers to value ${index}, which it does not have`);
    this.push(this.#memo.get(index));
  }

  global(module: unknown, name: unknown): unknown {
    if (typeof module !== 'string' || typeof name !== 'string')
      throw new DamagedFile('its pickle names a global by something that is no name');
    return this.#globals.global(module, name);
  }

  persistent(id: unknown): void {
    this.push(this.#globals.persistent(id));
  }

  /** Calls what stands for a global; classes that are only looked at make an object. */
  call(callee: unknown, args: unknown): unknown {
    if (!Array.isArray(args)) throw new DamagedFile('its pickle calls something without a list of arguments');
    if (typeof callee !== 'function') throw new DamagedFile('its pickle calls what is no function');
    // An argument's size is work for whoever is called.
    for (const arg of args) this.count(Array.isArray(arg) ? arg.length : arg instanceof Map ? arg.size : 0);
    return (callee as PickleFunction)(args);
  }

  append(list: unknown, items: unknown[]): void {
    if (!Array.isArray(list)) throw new DamagedFile('its pickle appends to what is no list');
    for (const item of items) list.push(item);
  }

  setItems(target: unknown, items: unknown[]): void {
    const map = target instanceof PickleObject ? target.state : target;
    if (!(map instanceof Map) || items.length % 2 === 1)
      throw new DamagedFile('its pickle puts entries into what is no dictionary');
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
  }

  /** Attributes of an object that is only looked at are kept; those of anything else say nothing about tensors. */
  build(target: unknown, state: unknown): void {
    if (!(target instanceof PickleObject)) return;
    for (const part of Array.isArray(state) ? state : [state]) {
      if (!(part instanceof Map)) continue;
      this.count(part.size);
      for (const [key, value] of part) target.state.set(key, value);
    }
  }
}

function toInteger(text: string): number | bigint {
  const digits = text.replace(/L$/, '').trim();
  if (!/^[+-]?\d+$/.test(digits) || digits.length > maxDigits)
    throw new DamagedFile('its pickle holds an integer that is none');
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : BigInt(digits);
}

/** Two's complement, little-endian. */
function longInteger(bytes: Uint8Array): number | bigint {
  if (bytes.length > maxDigits / 2) throw new DamagedFile('its pickle holds an integer beyond bounds');
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  if (bytes.length > 0 && bytes[bytes.length - 1] >= 128) value -= 1n << BigInt(8 * bytes.length);
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

function plainFloat(text: string): number {
  const value = /^[+-]?(inf|nan)$/i.test(text) ? Number.NaN : Number(text);
  return value;
}

const refuse = (what: string) => (): never => {
  throw new DamagedFile(`its pickle uses ${what}, which is not read`);
};

type Operation = (p: Unpickler) => void;
const text =
  (length: (p: Unpickler) => number, decoder: TextDecoder): Operation =>
  (p) =>
    p.push(decoder.decode(p.take(length(p))));
const binary =
  (length: (p: Unpickler) => number): Operation =>
  (p) =>
    p.push(p.take(length(p)));
const instance = (p: Unpickler, callee: unknown, args: unknown) => p.push(p.call(callee, args));

/** Operations by their code, in the order of pickletools. */
const operations: Record<string, Operation | undefined> = {
  I: (p) => {
    const line = p.line();
    p.push(line === '00' ? false : line === '01' ? true : toInteger(line));
  },
  J: (p) => p.push(p.int32()),
  K: (p) => p.push(p.byte()),
  M: (p) => p.push(p.uint16()),
  L: (p) => p.push(toInteger(p.line())),
  '\x8a': (p) => p.push(longInteger(p.take(p.byte()))),
  '\x8b': (p) => p.push(longInteger(p.take(p.uint32()))),
  S: (p) => p.push(p.line().replace(/^(['"])(.*)\1$/, '$2')),
  T: text((p) => p.uint32(), latin1),
  U: text((p) => p.byte(), latin1),
  B: binary((p) => p.uint32()),
  C: binary((p) => p.byte()),
  '\x8e': binary((p) => p.uint64()),
  '\x96': binary((p) => p.uint64()),
  '\x97': refuse('buffers outside it'),
  '\x98': refuse('buffers outside it'),
  N: (p) => p.push(null),
  '\x88': (p) => p.push(true),
  '\x89': (p) => p.push(false),
  V: (p) => p.push(p.line()),
  '\x8c': text((p) => p.byte(), utf8),
  X: text((p) => p.uint32(), utf8),
  '\x8d': text((p) => p.uint64(), utf8),
  F: (p) => p.push(plainFloat(p.line())),
  G: (p) => p.push(p.double()),
  ']': (p) => p.push([]),
  a: (p) => {
    const item = p.pop();
    p.append(p.top(), [item]);
  },
  e: (p) => {
    const items = p.above();
    p.append(p.top(), items);
  },
  l: (p) => p.push(p.above()),
  ')': (p) => p.push([]),
  t: (p) => p.push(p.above()),
  '\x85': (p) => p.push(p.popMany(1)),
  '\x86': (p) => p.push(p.popMany(2)),
  '\x87': (p) => p.push(p.popMany(3)),
  '}': (p) => p.push(new Map()),
  d: (p) => {
    const items = p.above();
    const map = new Map();
    p.setItems(map, items);
    p.push(map);
  },
  s: (p) => {
    const items = p.popMany(2);
    p.setItems(p.top(), items);
  },
  u: (p) => {
    const items = p.above();
    p.setItems(p.top(), items);
  },
  '\x8f': (p) => p.push([]),
  '\x90': (p) => {
    const items = p.above();
    p.append(p.top(), items);
  },
  '\x91': (p) => p.push(p.above()),
  '0': (p) => p.pop(),
  '2': (p) => p.push(p.top()),
  '(': (p) => p.mark(),
  '1': (p) => p.above(),
  g: (p) => p.recall(Number(p.line())),
  h: (p) => p.recall(p.byte()),
  j: (p) => p.recall(p.uint32()),
  p: (p) => p.remember(Number(p.line())),
  q: (p) => p.remember(p.byte()),
  r: (p) => p.remember(p.uint32()),
  '\x94': (p) => p.rememberNext(),
  '\x82': refuse('a registry of extensions'),
  '\x83': refuse('a registry of extensions'),
  '\x84': refuse('a registry of extensions'),
  c: (p) => p.push(p.global(p.line(), p.line())),
  '\x93': (p) => {
    const [module, name] = p.popMany(2);
    p.push(p.global(module, name));
  },
  R: (p) => {
    const args = p.pop();
    instance(p, p.pop(), args);
  },
  b: (p) => {
    const state = p.pop();
    p.build(p.top(), state);
  },
  i: (p) => {
    const callee = p.global(p.line(), p.line());
    instance(p, callee, p.above());
  },
  o: (p) => {
    const [callee, ...args] = p.above();
    instance(p, callee, args);
  },
  '\x81': (p) => {
    const args = p.pop();
    instance(p, p.pop(), args);
  },
  '\x92': (p) => {
    p.pop();
    const args = p.pop();
    instance(p, p.pop(), args);
  },
  P: (p) => p.persistent(p.line()),
  Q: (p) => p.persistent(p.pop()),
  '\x80': (p) => {
    const protocol = p.byte();
    if (protocol > 5) throw new DamagedFile(`its pickle has protocol ${protocol}, and 5 is the newest`);
  },
  '\x95': (p) => void p.skip(8),
};
