import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where vite puts the renderer. */
export const rendererFolder = fileURLToPath(new URL('../../dist/renderer/', import.meta.url));

/**
 * The policy of every page: scripts, styles, fonts and connections from the page's own origin only, pictures also
 * from memory; nothing may frame it.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

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
export async function rendererFile(urlPath: string, folder = rendererFolder): Promise<ServedFile | null> {
  let decoded: string;
  try {
    decoded = decodeURIComponent(urlPath);
  } catch {
    return null;
  }
  const inside = normalize(decoded === '/' ? '/index.html' : decoded);
  const contentType = contentTypes[extname(inside).toLowerCase()];
  if (!contentType || inside.includes('\0') || inside.split(/[\\/]/).includes('..')) return null;
  const path = join(folder, inside);
  if (!path.startsWith(folder.endsWith(sep) ? folder : folder + sep)) return null;
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
