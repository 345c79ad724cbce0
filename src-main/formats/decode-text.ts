import { isAscii, isUtf8 } from 'node:buffer';

export interface DecodedText {
  text: string;
  encoding: 'UTF-8' | 'UTF-16' | 'UTF-32' | 'Windows-1252';
}

/** Why bytes are no text that can be read for certain; `line` counts from 1 and is null where it says nothing. */
export class UndecodableText extends Error {
  readonly line: number | null;
  constructor(what: string, line: number | null) {
    super(what);
    this.line = line;
  }
}

/**
 * Text of unknown encoding: what its byte-order mark says, else UTF-16 where every other byte is zero, else UTF-8, else
 * Windows-1252 (of which Latin-1's letters are a part) as long as it reads like a Western European language. Other old
 * encodings cannot be told apart without knowing the language. Control characters are of no name or list, but a corpus may have
 * some: `controls` says so, of UTF-8. Throws `UndecodableText`.
 */
export function decodeText(bytes: Uint8Array, { controls = false } = {}): DecodedText {
  const decode = (label: string, from = 0): string => {
    try {
      return new TextDecoder(label, { fatal: true }).decode(bytes.subarray(from));
    } catch {
      throw new UndecodableText(`it is marked as ${label.toUpperCase()} and is not`, null);
    }
  };
  const begins = (...mark: number[]) => mark.every((byte, index) => bytes[index] === byte);
  if (begins(0xff, 0xfe, 0, 0)) return { text: utf32(bytes, true), encoding: 'UTF-32' };
  if (begins(0, 0, 0xfe, 0xff)) return { text: utf32(bytes, false), encoding: 'UTF-32' };
  if (begins(0xff, 0xfe)) return { text: decode('utf-16le', 2), encoding: 'UTF-16' };
  if (begins(0xfe, 0xff)) return { text: decode('utf-16be', 2), encoding: 'UTF-16' };
  if (begins(0xef, 0xbb, 0xbf)) return { text: decode('utf-8', 3), encoding: 'UTF-8' };
  const unmarked = unmarkedUtf16(bytes);
  if (unmarked) return { text: decode(unmarked), encoding: 'UTF-16' };
  const isControl = (byte: number) => byte < 9 || (byte > 13 && byte < 32 && byte !== 0x1b);
  const control = bytes.findIndex(controls && isUtf8(bytes) ? (byte) => byte === 0 : isControl);
  if (control >= 0) throw new UndecodableText('it holds bytes that no text has', lineOf(bytes, control));
  if (isAscii(bytes) || isUtf8(bytes))
    return { text: new TextDecoder('utf-8').decode(bytes), encoding: 'UTF-8' };
  return { text: windows1252(bytes), encoding: 'Windows-1252' };
}

/** UTF-16 without a mark: ASCII in it leaves zeros in one half of the bytes and none in the other. */
function unmarkedUtf16(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  if (bytes.length < 4 || bytes.length % 2 === 1) return null;
  const zeros = [0, 0];
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) zeros[i % 2]++;
  const enough = bytes.length / 5;
  if (zeros[1] > enough && zeros[0] === 0) return 'utf-16le';
  return zeros[0] > enough && zeros[1] === 0 ? 'utf-16be' : null;
}

function utf32(bytes: Uint8Array, little: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: string[] = [];
  if (bytes.length % 4 !== 0) throw new UndecodableText('it is marked as UTF-32 and is not', null);
  for (let at = 4; at < bytes.length; at += 4) {
    const point = view.getUint32(at, little);
    if (point > 0x10ffff) throw new UndecodableText('it is marked as UTF-32 and is not', null);
    parts.push(String.fromCodePoint(point));
  }
  return parts.join('');
}

/** Characters beyond ASCII that Western European names have; Cyrillic, Greek or East Asian text read so has others too. */
const western = /^[À-ÖØ-öø-ÿŠšŽžŒœŸ\u00a0‘’‚“”„–—…´·ªº°²³½¼¾®™©«»&]$/u;

const letters = /^[À-ÖØ-öø-ÿŠšŽžŒœŸ]+$/u;

function windows1252(bytes: Uint8Array): string {
  const decoded = new TextDecoder('windows-1252').decode(bytes);
  // One byte, one character: indices of both are the same.
  let run = 0;
  for (let i = 0; i < bytes.length; i++) {
    run = bytes[i] < 128 ? 0 : run + 1;
    const implausible = run > 2 || (run === 2 && !letters.test(decoded.slice(i - 1, i + 1)));
    if (bytes[i] >= 128 && (implausible || !western.test(decoded[i])))
      throw new UndecodableText('it is neither UTF-8 nor Western European', lineOf(bytes, i));
  }
  return decoded;
}

function lineOf(bytes: Uint8Array, index: number): number {
  let line = 1;
  for (let i = 0; i < index; i++) if (bytes[i] === 10) line++;
  return line;
}
