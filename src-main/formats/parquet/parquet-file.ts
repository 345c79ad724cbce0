import { type FileMetaData, parquetMetadata, parquetSchema, type SchemaTree } from 'hyparquet';
import { DamagedFile } from '../file-bytes.ts';
import { type Bytes, ColumnChunk, type Page } from './pages.ts';

const maxFooterBytes = 64 * 2 ** 20;
const maxRows = 5_000_000;
const magic = 0x31524150;

/** A column without lists: its name, and the names below it where it is a struct. */
export interface ParquetColumn {
  name: string;
  fields: string[];
  isBinary: boolean;
}

/**
 * A Parquet file whose values are read page by page: memory is bounded by a page, and lengths that a file names are checked
 * before anything is made by them. Errors: `DamagedFile`.
 */
export class ParquetFile {
  readonly rows: number;
  readonly columns: ParquetColumn[];
  /** What its writer noted, by key. */
  readonly notes: ReadonlyMap<string, string>;
  readonly #bytes: Bytes;
  readonly #metadata: FileMetaData;
  readonly #groups: { first: number; rows: number }[] = [];
  #last: {
    chunk: ColumnChunk;
    group: number;
    column: string;
    page: Page | null;
    values: ArrayLike<unknown>;
  } | null = null;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#metadata = damagedOr(() => readMetadata(bytes));
    let rows = 0;
    for (const group of this.#metadata.row_groups) {
      const own = Number(group.num_rows);
      if (!(own >= 0) || rows + own > maxRows) throw new DamagedFile(`it names more than ${maxRows} rows`);
      this.#groups.push({ first: rows, rows: own });
      rows += own;
    }
    this.rows = rows;
    this.columns = damagedOr(() => parquetSchema(this.#metadata).children.map(columnOf));
    this.notes = new Map(this.#metadata.key_value_metadata?.map(({ key, value = '' }) => [key, value]));
  }

  /** The values of a column in the order of the rows: `label`, or `image.path` of a struct. */
  *values(column: string): Generator<unknown> {
    for (const [group] of this.#groups.entries()) {
      const chunk = this.#chunk(group, column);
      for (const page of chunk.pages) {
        const values = damagedOr(() => chunk.values(page));
        for (let i = 0; i < values.length; i++) yield values[i];
      }
    }
  }

  /** One value of a column. The page that it is in stays at hand for the next. */
  value(column: string, row: number): unknown {
    const group = this.#groups.findIndex(({ first, rows }) => row >= first && row < first + rows);
    if (group < 0) throw new DamagedFile(`it has no row ${row}`);
    if (this.#last?.group !== group || this.#last.column !== column)
      this.#last = { chunk: this.#chunk(group, column), group, column, page: null, values: [] };
    const last = this.#last;
    const page = last.chunk.pages.find(({ row: first, rows }) => row >= first && row < first + rows)!;
    if (last.page !== page) {
      last.values = damagedOr(() => last.chunk.values(page));
      last.page = page;
    }
    return last.values[row - page.row];
  }

  #chunk(group: number, column: string): ColumnChunk {
    const found = this.#metadata.row_groups[group].columns.find(
      ({ meta_data }) => meta_data?.path_in_schema.join('.') === column,
    );
    if (!found?.meta_data) throw new DamagedFile(`it has no column ${column}`);
    const { first, rows } = this.#groups[group];
    return damagedOr(() => new ColumnChunk(this.#bytes, this.#metadata, found.meta_data!, first, rows));
  }
}

function readMetadata(bytes: Bytes): FileMetaData {
  if (bytes.size < 12) throw new DamagedFile('it is too short');
  const tail = new DataView(bytes.read(bytes.size - 8, 8).buffer);
  if (tail.getUint32(4, true) !== magic)
    throw new DamagedFile('it does not end as a Parquet file does: it is cut off');
  const length = tail.getUint32(0, true) + 8;
  if (length > bytes.size || length > maxFooterBytes)
    throw new DamagedFile('its index is larger than the file, or than 64 MiB');
  return parquetMetadata(bytes.read(bytes.size - length, length), { geoparquet: false });
}

const columnOf = ({ element, children }: SchemaTree): ParquetColumn => ({
  name: element.name,
  fields: children.map((child) => child.element.name),
  isBinary:
    element.type === 'BYTE_ARRAY' &&
    element.converted_type !== 'UTF8' &&
    element.logical_type?.type !== 'STRING',
});

/** What a decoder throws at bytes that are not what they say is the file's damage. */
function damagedOr<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DamagedFile) throw error;
    throw new DamagedFile(`it is damaged (${(error as Error).message})`, { cause: error });
  }
}
