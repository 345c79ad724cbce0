import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Cookie that carries the token after the first page; the port keeps two servers on one host apart. */
export const cookieName = (port: number): string => `cotune-${port}`;

/** Compares secrets without telling by timing how far they agree. */
export function sameSecret(given: string | null | undefined, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return given != null && timingSafeEqual(digest(given), digest(secret));
}

/**
 * Whether a request names this machine as its host and, where a browser says so, comes from a page of that very
 * host. A page elsewhere that resolves its own name to 127.0.0.1 (DNS rebinding) fails the first, a page elsewhere
 * that sends requests here the second. The port may be any: an SSH tunnel ends on another one than the server's.
 */
export function fromHere({ headers: { host, origin } }: IncomingMessage): boolean {
  if (!host || !/^(127\.0\.0\.1|localhost)(:\d{1,5})?$/.test(host)) return false;
  return origin === undefined || origin === `http://${host}`;
}

/** Whether a request carries the token: in its cookie, or as `token` in its query. */
export function carriesToken(request: IncomingMessage, url: URL, port: number, token: string): boolean {
  const prefix = `${cookieName(port)}=`;
  const cookies = (request.headers.cookie ?? '').split(';').map((part) => part.trim());
  const cookie = cookies.find((part) => part.startsWith(prefix))?.slice(prefix.length);
  return sameSecret(cookie, token) || sameSecret(url.searchParams.get('token'), token);
}

/** The URL that a request asks for, or null where that is none. */
export function requestUrl(request: IncomingMessage): URL | null {
  const text = request.url ?? '/';
  return text.startsWith('/') && !text.startsWith('//') ? URL.parse(text, 'http://127.0.0.1') : null;
}
