export interface TarEntry {
  name: string;
  data?: Uint8Array;
  /** Type flag: 0 file, 1 hard link, 2 symbolic link, 5 folder, L long name, x pax. */
  type?: string;
  /** Where a link leads. */
  target?: string;
  /** What the header claims; default: the truth. */
  size?: number;
}

/** A tar archive (ustar), or whatever its entries claim. */
export function tarFile(entries: TarEntry[], end = true): Buffer {
  const blocks = entries.flatMap(
    ({ name, data = new Uint8Array(), type = '0', target = '', size = data.length }) => {
      const header = Buffer.alloc(512);
      header.write(name, 0, 100);
      header.write('0000644\0', 100);
      header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
      header.write('        ', 148);
      header.write(type, 156);
      header.write(target, 157, 100);
      header.write('ustar\x0000', 257);
      const sum = header.reduce((all, byte) => all + byte, 0);
      header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
      const body = Buffer.alloc(Math.ceil(data.length / 512) * 512);
      body.set(data);
      return [header, body];
    },
  );
  return Buffer.concat([...blocks, Buffer.alloc(end ? 1024 : 0)]);
}
