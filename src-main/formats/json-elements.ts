import { DamagedFile } from './file-bytes.ts';

/** A member of a document's object, or an element of one of its arrays. */
export interface JsonElement {
  /** The member's name; empty in a document that is an array. */
  key: string;
  /** Place in the array, from 0; null for a member that is none. */
  index: number | null;
  value: unknown;
}

const maxElementBytes = 16 * 2 ** 20;
const maxDepth = 64;

const [quote, comma, colon, backslash] = [0x22, 0x2c, 0x3a, 0x5c];
const [open, close] = [0x7b, 0x7d];
const [openArray, closeArray] = [0x5b, 0x5d];
const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/**
 * The members of a JSON document's object one by one, and of those that are arrays the elements, so that a document of any
 * size takes little memory. Members that are not `wanted` are passed over. Throws `DamagedFile` where it is no JSON, for an
 * element of more than 16 MiB and one nested deeper than 64.
 */
export function* jsonElements(
  bytes: Buffer,
  wanted: (key: string) => boolean = () => true,
): Generator<JsonElement> {
  const reader = new Reader(bytes);
  if (reader.peek() === openArray) {
    yield* reader.elements('');
  } else {
    reader.expect(open, 'an object or an array');
    for (let first = true; reader.peek() !== close; first = false) {
      if (!first) reader.expect(comma, 'a comma');
      if (reader.peek() !== quote) throw reader.wrong('a name in quotes');
      const key = String(reader.value());
      reader.expect(colon, 'a colon');
      if (!wanted(key)) reader.pass();
      else if (reader.peek() === openArray) yield* reader.elements(key);
      else yield { key, index: null, value: reader.value() };
    }
    reader.expect(close, 'a closing brace');
  }
  if (reader.peek() !== undefined) throw reader.wrong('its end');
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#at = bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0;
  }

  wrong(expected: string): DamagedFile {
    return new DamagedFile(`at byte ${this.#at} ${expected} should stand`);
  }

  /** The next byte that is no blank; undefined at the end. */
  peek(): number | undefined {
    while (isBlank(this.#bytes[this.#at])) this.#at++;
    return this.#bytes[this.#at];
  }

  expect(byte: number, what: string): void {
    if (this.peek() !== byte) throw this.wrong(what);
    this.#at++;
  }

  *elements(key: string): Generator<JsonElement> {
    this.expect(openArray, 'an array');
    for (let index = 0; this.peek() !== closeArray; index++) {
      if (index > 0) this.expect(comma, 'a comma');
      yield { key, index, value: this.value() };
    }
    this.#at++;
  }

  value(): unknown {
    const from = this.#at;
    this.pass(maxElementBytes);
    const text = this.#bytes.toString('utf8', from, this.#at);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new DamagedFile(`what stands at byte ${from} is no JSON`, { cause: error });
    }
  }

  /** Passes over a value, which is not looked into further than its ends. */
  pass(maxBytes = Number.POSITIVE_INFINITY): void {
    this.peek();
    const bytes = this.#bytes;
    const from = this.#at;
    let depth = 0;
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at];
      if (byte === quote) this.#passString();
      else if (byte === open || byte === openArray) {
        if (++depth > maxDepth)
          throw new DamagedFile(`at byte ${this.#at} it is nested deeper than ${maxDepth}`);
      } else if (byte === close || byte === closeArray) {
        if (depth === 0) break;
        depth--;
      } else {
        if (depth === 0 && (byte === comma || byte === colon || isBlank(byte))) break;
        continue;
      }
      if (depth > 0) continue;
      this.#at++;
      break;
    }
    if (depth > 0) throw this.wrong('more: it is cut off');
    if (this.#at === from) throw this.wrong('a value');
    if (this.#at - from > maxBytes) throw new DamagedFile(`what begins at byte ${from} has more than 16 MiB`);
  }

  /** From a quote mark to the one that ends it. */
  #passString(): void {
    const bytes = this.#bytes;
    for (this.#at++; this.#at < bytes.length; this.#at++) {
      if (bytes[this.#at] === backslash) this.#at++;
      else if (bytes[this.#at] === quote) return;
    }
    throw this.wrong('the end of a text');
  }
}
