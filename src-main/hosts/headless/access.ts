import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { imagePath } from '../../../src-shared/names.ts';

/** The subprotocol that a client asks for, beside one that carries the token. */
export const protocol = 'cotune';
const tokenPrefix = 'token.';

/** Compares secrets without telling by timing how far they agree. */
function sameSecret(given: string | null | undefined, secret: string): boolean {
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

/** Whether a request carries the token in its `authorization` header. */
export const bearsToken = ({ headers }: IncomingMessage, token: string): boolean =>
  sameSecret(headers.authorization, `Bearer ${token}`);

/** Whether a WebSocket's opening asks for the protocol `token.…`: browsers let a page choose no other header of it. */
export function asksWithToken({ headers }: IncomingMessage, token: string): boolean {
  const asked = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const given = asked.find((name) => name.startsWith(tokenPrefix));
  return asked.includes(protocol) && sameSecret(given, tokenPrefix + token);
}

/** Whether the address of a picture was made by someone who has the token: HMAC-SHA-256 of its path, in hex. */
export function isSigned(
  url: URL,
  { sample, size }: { sample: number; size: 'thumb' | 'full' },
  token: string,
) {
  const signature = createHmac('sha256', token).update(imagePath(sample, size)).digest('hex');
  return sameSecret(url.searchParams.get('signature'), signature);
}

/** The URL that a request asks for, or null where that is none. */
export function requestUrl(request: IncomingMessage): URL | null {
  const text = request.url ?? '/';
  return text.startsWith('/') && !text.startsWith('//') ? URL.parse(text, 'http://127.0.0.1') : null;
}
