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
 * Whether a request names this server as its host and, where a browser says so, comes from one of its own pages.
 * A page elsewhere that resolves its own name to 127.0.0.1 (DNS rebinding) fails the first, a page elsewhere that
 * sends requests here the second.
 */
export function fromHere(request: IncomingMessage, port: number): boolean {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const { host, origin } = request.headers;
  if (!host || !hosts.includes(host)) return false;
  return origin === undefined || hosts.some((name) => origin === `http://${name}`);
}

/** Whether a request carries the token: in its cookie, or as `token` in its query. */
export function carriesToken(request: IncomingMessage, url: URL, port: number, token: string): boolean {
  const prefix = `${cookieName(port)}=`;
  const cookies = (request.headers.cookie ?? '').split(';').map((part) => part.trim());
  const cookie = cookies.find((part) => part.startsWith(prefix))?.slice(prefix.length);
  return sameSecret(cookie, token) || sameSecret(url.searchParams.get('token'), token);
}
