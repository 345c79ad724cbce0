/** What stands in a text file's place when a download went wrong, and what to do about it. */
export interface Foreign {
  what: string;
  hint: string;
}

const begin = (bytes: Uint8Array): string =>
  new TextDecoder('latin1')
    .decode(bytes.subarray(0, 512))
    .replace(/^(ï»¿)?\s+/, '')
    .replace(/^ï»¿/, '');

/** A web page or a git-lfs pointer, by its first bytes; null for anything else. */
export function foreignText(bytes: Uint8Array): Foreign | null {
  const text = begin(bytes);
  if (/^(<!doctype html|<html|<head|<!--)/i.test(text))
    return {
      what: 'a web page (HTML), not the file that its address promised',
      hint: 'Download the file itself: behind a log-in or on a code site, use the link named “raw” or “download”.',
    };
  if (/^<\?xml/i.test(text))
    return {
      what: 'an XML document, often the error message of a storage service',
      hint: 'Download it again.',
    };
  if (/^version https:\/\/git-lfs\.github\.com\/spec\//.test(text)) {
    const size = /^size (\d+)/m.exec(text);
    return {
      what: `a git-lfs pointer, which stands for the real file${size ? ` of ${(Number(size[1]) / 1e6).toFixed(1)} MB` : ''}`,
      hint: 'Run `git lfs pull` in that repository, or download the file itself.',
    };
  }
  return null;
}
