/**
 * The key to this launch of the headless host. It comes in the fragment of the address that the terminal printed, which no
 * request carries; the page takes it out of the address and keeps it in the storage of its origin. That one knows ports,
 * unlike a cookie, which goes to every other server on this machine: a reload, a second tab and the tab of tomorrow find
 * the key there, and a page from another port does not. The desktop shell needs no key.
 */
import { imagePath } from '../src-shared/names.ts';

const stored = 'cotune-token';
const isDesktop = 'cotune' in window;

const given = /^#token=([\w-]+)/.exec(location.hash)?.[1];
if (given) {
  localStorage.setItem(stored, given);
  history.replaceState(null, '', '#/');
}

/** The key, or null where this browser was never given one. Read anew each time: another tab may have been. */
export const accessToken = (): string | null => (isDesktop ? null : localStorage.getItem(stored));

/** Whether the host is there and says that this page's key is not that of its launch. */
export async function isRefused(): Promise<boolean> {
  const headers = { authorization: `Bearer ${accessToken() ?? ''}` };
  return fetch('access', { headers, cache: 'no-store' }).then(
    ({ status }) => status === 401,
    () => false,
  );
}

let signing: { token: string; key: Promise<CryptoKey>; addresses: Map<string, string> } | undefined;
const maxAddresses = 50_000;

/** The address of a sample's picture, signed with the key: an <img> sends no header. At once where it is known. */
export function pictureAddress(sample: number, size: 'thumb' | 'full'): string | Promise<string> {
  const path = imagePath(sample, size);
  const token = accessToken();
  if (token === null) return path;
  if (signing?.token !== token) signing = { token, key: hmacKey(token), addresses: new Map() };
  return signing.addresses.get(path) ?? sign(path, signing);
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const hmacKey = (token: string): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', bytesOf(token), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);

async function sign(path: string, { key, addresses }: NonNullable<typeof signing>): Promise<string> {
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', await key, bytesOf(path)));
  const hex = Array.from(signature, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const address = `${path}?signature=${hex}`;
  if (addresses.size >= maxAddresses) addresses.clear();
  addresses.set(path, address);
  return address;
}
