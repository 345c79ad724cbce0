import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  type ColumnMetaData,
  type FileMetaData,
  type PageHeader,
  type SchemaTree,
  snappyUncompress,
} from 'hyparquet';
import { parquetHeader, readPage } from 'hyparquet/src/column.js';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getSchemaPath } from 'hyparquet/src/schema.js';
import { DamagedFile, type FileBytes } from '../file-bytes.ts';

/** Bytes at any place of a file, or of a part of one. */
export type Bytes = Pick<FileBytes, 'size' | 'read'>;

/** A page of one column: where it is, and which rows are in it. */
export interface Page {
  header: PageHeader;
  /** Where its data begins. */
  offset: number;
  /** Row of the file that is its first, and how many there are; none in a dictionary. */
  row: number;
  rows: number;
}

const maxPageBytes = 512 * 2 ** 20;
const headerWindow = 65_536;
/** Encodings whose pages cannot say more values than they hold. */
const encodings = new Set(['PLAIN', 'PLAIN_DICTIONARY', 'RLE_DICTIONARY', 'RLE']);

/** One column of one row group. */
export class ColumnChunk {
  readonly #bytes: Bytes;
  readonly #meta: ColumnMetaData;
  readonly #schemaPath: SchemaTree[];
  readonly pages: Page[] = [];
  #dictionary: unknown;
  #hasDictionary = false;

  constructor(bytes: Bytes, metadata: FileMetaData, meta: ColumnMetaData, firstRow: number, rows: number) {
    this.#bytes = bytes;
    this.#meta = meta;
    this.#schemaPath = getSchemaPath(metadata.schema, meta.path_in_schema);
    if (getMaxRepetitionLevel(this.#schemaPath) > 0)
      throw new DamagedFile(`its column ${meta.path_in_schema.join('.')} holds lists`);
    const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
    const end = start + Number(meta.total_compressed_size);
    let row = firstRow;
    for (let at = start; at < end && row < firstRow + rows; ) {
      const window = bytes.read(at, Math.min(headerWindow, bytes.size - at));
      const reader = { view: new DataView(window.buffer), offset: 0 };
      const header = parquetHeader(reader);
      const values = this.#checked(header, firstRow + rows - row);
      const page = {
        header,
        offset: at + reader.offset,
        row,
        rows: header.type === 'DICTIONARY_PAGE' ? 0 : values,
      };
      if (header.type === 'DICTIONARY_PAGE') this.#dictionary = this.#decode(page, undefined);
      else this.pages.push(page);
      this.#hasDictionary ||= header.type === 'DICTIONARY_PAGE';
      row += page.rows;
      at = page.offset + header.compressed_page_size;
    }
    if (row !== firstRow + rows) throw new DamagedFile('a column of it ends before its rows do');
  }

  /** The values of a page, in the order of its rows. */
  values(page: Page): ArrayLike<unknown> {
    const values = this.#decode(page, this.#hasDictionary ? this.#dictionary : undefined);
    if (values.length !== page.rows)
      throw new DamagedFile('a page of it does not hold the rows that it names');
    return values;
  }

  /** The number of values that a page holds, if it can hold as many. */
  #checked({ type, compressed_page_size, uncompressed_page_size, ...of }: PageHeader, most: number): number {
    const own = of.data_page_header ?? of.data_page_header_v2 ?? of.dictionary_page_header;
    const limit = type === 'DICTIONARY_PAGE' ? uncompressed_page_size : most;
    const sizes = [compressed_page_size, uncompressed_page_size];
    if (
      !own ||
      sizes.some((size) => !(size >= 0 && size <= maxPageBytes)) ||
      !(own.num_values >= 0 && own.num_values <= limit)
    )
      throw new DamagedFile('a page of it says that it holds more than it can');
    if (!encodings.has(own.encoding))
      throw new DamagedFile(`it holds values in an encoding that is not read (${own.encoding})`);
    return own.num_values;
  }

  #decode({ header, offset }: Page, dictionary: unknown): ArrayLike<unknown> {
    const { codec, type } = this.#meta;
    const packed = this.#bytes.read(offset, header.compressed_page_size);
    const v2 = header.data_page_header_v2;
    const levels = v2 ? v2.repetition_levels_byte_length + v2.definition_levels_byte_length : 0;
    if (levels > packed.length) throw new DamagedFile('a page of it is damaged');
    const isPacked = v2?.is_compressed !== false;
    const content = unpack(
      packed.subarray(levels),
      header.uncompressed_page_size - levels,
      isPacked ? codec : 'UNCOMPRESSED',
    );
    const page = levels > 0 ? Buffer.concat([packed.subarray(0, levels), content]) : content;
    const maxLevel = getMaxDefinitionLevel(this.#schemaPath);
    if (header.type !== 'DICTIONARY_PAGE') checkRuns(page, header, maxLevel, type === 'BOOLEAN');
    const decoder = {
      pathInSchema: this.#meta.path_in_schema,
      element: this.#schemaPath.at(-1)!.element,
      schemaPath: this.#schemaPath,
      utf8: false,
      parsers: DEFAULT_PARSERS,
      ...this.#meta,
      codec: 'UNCOMPRESSED' as const,
    };
    const reader = { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: 0 };
    const unpacked = { ...header, compressed_page_size: page.length, uncompressed_page_size: page.length };
    const values: ArrayLike<unknown> =
      readPage(reader, unpacked, decoder, dictionary as never, undefined, 0).data ?? [];
    if (header.type === 'DICTIONARY_PAGE') return convert(values as never, decoder);
    // The decoder wraps what lies in a struct; without lists there is one value in each.
    return this.#schemaPath.length > 2
      ? Array.from(values, (value) => (Array.isArray(value) ? value[0] : value))
      : values;
  }
}

/** The uncompressed bytes of a page, exactly as many as its header says. */
function unpack(packed: Uint8Array, size: number, codec: string): Uint8Array {
  if (size < 0) throw new DamagedFile('a page of it is damaged');
  if (codec === 'UNCOMPRESSED' || size === 0) return packed;
  const options = { maxOutputLength: Math.max(1, size) };
  let page: Uint8Array;
  if (codec === 'SNAPPY') {
    page = new Uint8Array(size);
    snappyUncompress(packed, page);
  } else if (codec === 'GZIP') page = gunzipSync(packed, options);
  else if (codec === 'ZSTD') page = zstdDecompressSync(packed, options);
  else if (codec === 'BROTLI') page = brotliDecompressSync(packed, options);
  else throw new DamagedFile(`it is compressed in a way that is not read (${codec})`);
  if (page.length !== size) throw new DamagedFile('a page of it does not have the size that it names');
  return page;
}

/** Runs of levels and of dictionary indices may not go on for longer than the page has values: the decoder believes them. */
function checkRuns(page: Uint8Array, header: PageHeader, maxLevel: number, isBoolean: boolean): void {
  const own = (header.data_page_header ?? header.data_page_header_v2)!;
  const v2 = header.data_page_header_v2;
  let at = v2 ? v2.repetition_levels_byte_length : 0;
  if (maxLevel > 0) {
    const from = v2 ? at : at + 4;
    const length = v2
      ? v2.definition_levels_byte_length
      : new DataView(page.buffer, page.byteOffset).getUint32(at, true);
    if (length > page.length - from) throw new DamagedFile('a page of it is damaged');
    checkRun(page.subarray(from, from + length), 32 - Math.clz32(maxLevel), own.num_values);
    at = from + length;
  }
  if (own.encoding === 'PLAIN') return;
  const width = isBoolean ? 1 : page[at];
  checkRun(page.subarray(at + (isBoolean ? 4 : 1)), width, own.num_values);
}

function checkRun(bytes: Uint8Array, width: number, values: number): void {
  if (!(width <= 32)) throw new DamagedFile('a page of it is damaged');
  let seen = 0;
  for (let at = 0; at < bytes.length && seen < values; ) {
    let run = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= bytes.length || shift > 28) throw new DamagedFile('a page of it is damaged');
      const byte = bytes[at++];
      run += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const count = Math.floor(run / 2);
    if (run % 2 === 1) {
      seen += 8 * count;
      at += width * count;
    } else {
      seen += count;
      at += Math.ceil(width / 8);
    }
    // The last group of eight bit-packed values may be filled up.
    if (seen > values + 7) throw new DamagedFile('a page of it says that it holds more than it can');
  }
}
