import { readFile } from 'node:fs/promises';
import { extname, join, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where vite puts the renderer. */
const builtRenderer = fileURLToPath(new URL('../../dist/renderer/', import.meta.url));

/**
 * Of every answer. The policy: scripts, styles, fonts and connections from the page's own origin only, pictures also
 * from memory; nothing may frame it.
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

export interface ServedFile {
  data: Buffer;
  contentType: string;
}

/** The renderer's file at a URL path, or null where there is none. Paths cannot lead out of the folder. */
export async function rendererFile(urlPath: string, folder = builtRenderer): Promise<ServedFile | null> {
  let decoded: string;
  try {
    decoded = decodeURIComponent(urlPath);
  } catch {
    return null;
  }
  if (decoded.includes('\0') || decoded.split(/[\\/]/).includes('..')) return null;
  const path = join(folder, normalize(decoded === '/' ? '/index.html' : decoded));
  const contentType = contentTypes[extname(path).toLowerCase()];
  if (!contentType || relative(folder, path).split(sep)[0] === '..') return null;
  try {
    return { data: await readFile(path), contentType };
  } catch {
    return null;
  }
}

/** The sample and size that a picture's path names (`/images/12/thumb`), or null. */
export function pictureOf(urlPath: string): { sample: number; size: 'thumb' | 'full' } | null {
  const match = /^\/images\/([1-9]\d{0,14})\/(thumb|full)$/.exec(urlPath);
  return match && { sample: Number(match[1]), size: match[2] as 'thumb' | 'full' };
}
