/** Bytes of a red, a green and a blue plane. */
export const planeBytes = (width: number, height: number): number => 3 * width * height;

const headerBytes = 54;

/** Three planes, each in rows from the top, as a bitmap file of 24 bits: the same planes give the same bytes. */
export function bitmapOfPlanes(planes: Uint8Array, width: number, height: number): Buffer {
  const stride = Math.ceil((3 * width) / 4) * 4;
  const file = Buffer.alloc(headerBytes + stride * height);
  file.write('BM', 'latin1');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(headerBytes, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  // A negative height: rows from the top.
  file.writeInt32LE(-height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  file.writeUInt32LE(stride * height, 34);
  const plane = width * height;
  for (let y = 0, pixel = 0; y < height; y++) {
    let at = headerBytes + y * stride;
    for (let x = 0; x < width; x++, pixel++) {
      file[at++] = planes[2 * plane + pixel];
      file[at++] = planes[plane + pixel];
      file[at++] = planes[pixel];
    }
  }
  return file;
}
