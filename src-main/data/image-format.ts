import { ImageProblem } from './image.ts';

export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'bmp' | 'tiff';

/** First bytes of each format, as latin-1 text; `?` stands for any byte. */
const read: readonly [ImageFormat, string][] = [
  ['jpeg', '\xff\xd8\xff'],
  ['png', '\x89PNG\r\n\x1a\n'],
  ['webp', 'RIFF????WEBP'],
  ['gif', 'GIF8'],
  ['tiff', 'II*\0'],
  ['tiff', 'MM\0*'],
  ['tiff', 'II+\0'],
  ['tiff', 'MM\0+'],
];

const known: readonly [string, string][] = [
  ['HEIC (convert it to JPEG)', '????ftyphe'],
  ['HEIC (convert it to JPEG)', '????ftypmif1'],
  ['AVIF (convert it to JPEG or PNG)', '????ftypavi'],
  ['a video', '????ftyp'],
  ['JPEG XL', '\xff\x0a'],
  ['JPEG XL', '\0\0\0\x0cJXL '],
  ['JPEG 2000', '\0\0\0\x0cjP  '],
  ['a Photoshop document', '8BPS'],
  ['a PDF', '%PDF'],
  ['a Zip archive', 'PK\x03\x04'],
  ['an icon', '\0\0\x01\0'],
  ['SVG, which has no pixels', '<svg'],
];

/**
 * The format of an image by its first bytes; its file name says nothing.
 * @throws ImageProblem `unsupported` for other known formats, `broken` for anything else.
 */
export function formatOf(bytes: Buffer): ImageFormat {
  const head = bytes.toString('latin1', 0, 32);
  const starts = (signature: string) =>
    head.length >= signature.length &&
    [...signature].every((byte, index) => byte === '?' || byte === head[index]);
  const format = read.find(([, signature]) => starts(signature));
  if (format) return format[0];
  // "BM" alone begins many a text; the reserved bytes of a bitmap are zero, or its header size is a known one.
  if (starts('BM') && bytes.length >= 18 && [12, 40, 52, 56, 64, 108, 124].includes(bytes.readUInt32LE(14))) {
    return 'bmp';
  }
  const other = known.find(([, signature]) => starts(signature));
  if (other) throw new ImageProblem('unsupported', `its content is ${other[0]}`);
  if (isText(bytes)) {
    const markup = /^\s*<(!doctype html|html|\?xml|svg)/i.test(head);
    throw new ImageProblem(
      'broken',
      `its content is ${markup ? 'markup (HTML or XML)' : 'text'}, not an image`,
    );
  }
  throw new ImageProblem('broken', 'its content is no image format that is known');
}

function isText(bytes: Buffer): boolean {
  const head = bytes.subarray(0, 512);
  return head.every((byte) => (byte >= 32 && byte < 254) || byte === 9 || byte === 10 || byte === 13);
}
