/** What a TIFF's first page says about its channels. */
export interface TiffChannels {
  /** Channels a pixel has. */
  samples: number;
  /** 0: white is zero; 1: black is zero; 2: RGB; 3: palette; 5: CMYK; 6: YCbCr; 8: Lab; … */
  photometric: number;
  /** What the first channel beyond the colors is: 0 not said, 1 or 2 transparency; null where there is none. */
  extra: number | null;
}

const tags = { photometric: 262, samplesPerPixel: 277, extraSamples: 338 };

/**
 * Reads the first directory of a TIFF or BigTIFF, either byte order (TIFF 6.0, section 2). Null where it is damaged: the
 * decoder says what is wrong.
 */
export function readTiffChannels(bytes: Buffer): TiffChannels | null {
  const little = bytes[0] === 0x49;
  const number = (at: number, size: number): number => {
    if (size === 8) return Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
    return little ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
  };
  try {
    const big = number(2, 2) === 43;
    const wide = big ? 8 : 4;
    const directory = number(big ? 8 : 4, wide);
    const entries = number(directory, big ? 8 : 2);
    const found = new Map<number, number>();
    for (let index = 0; index < Math.min(entries, 500); index++) {
      const entry = directory + (big ? 8 : 2) + index * (big ? 20 : 12);
      const count = number(entry + 4, wide);
      // A short (type 3) value lies in the entry itself where all fit; of more than that, the first is enough.
      const inside = count * 2 <= wide;
      const value = entry + 4 + wide;
      if (number(entry + 2, 2) === 3 && count > 0) {
        found.set(number(entry, 2), number(inside ? value : number(value, wide), 2));
      }
    }
    const samples = found.get(tags.samplesPerPixel) ?? 1;
    return {
      samples,
      photometric: found.get(tags.photometric) ?? 1,
      extra: found.get(tags.extraSamples) ?? null,
    };
  } catch {
    return null;
  }
}
