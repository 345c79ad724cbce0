/** What the desktop window may load: the renderer's files and images by their number, under `cotune://app/`. */
import { CotuneError, toErrorValue } from '../../../src-shared/errors.ts';
import type { Service } from '../../service/service.ts';
import { pictureOf, rendererFile, securityHeaders } from '../renderer-files.ts';

export const scheme = 'cotune';
export const appOrigin = `${scheme}://app`;

/** Whether a URL is one of the app's own pages. */
export function isAppUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && url.protocol === `${scheme}:` && url.host === 'app';
}

/** Whether a message comes from the app's own page itself, not from a frame inside it or a page elsewhere. */
export function isOwnPage(frame: { url: string; parent: unknown } | null | undefined): boolean {
  return frame != null && frame.parent === null && isAppUrl(frame.url);
}

/** Answers a request of the window. Never throws: what cannot be had is an answer with that status. */
export async function answerRequest(
  request: { url: string; method: string },
  service: Pick<Service, 'picture'>,
  rendererFolder?: string,
): Promise<Response> {
  const url = URL.parse(request.url);
  if (!url || !isAppUrl(request.url)) return refuse(403, 'This address does not belong to the app.');
  if (request.method !== 'GET') return refuse(405, 'Only GET is answered.');
  try {
    const wanted = pictureOf(url.pathname);
    const found = wanted
      ? await service.picture(wanted.sample, wanted.size)
      : await rendererFile(url.pathname || '/', rendererFolder);
    if (!found) throw new CotuneError('not-found', 'There is nothing here.');
    return new Response(Uint8Array.from(found.data), {
      headers: { ...securityHeaders, 'content-type': found.contentType },
    });
  } catch (error) {
    const { code, message } = toErrorValue(error);
    return refuse(code === 'not-found' ? 404 : 500, message);
  }
}

const refuse = (status: number, text: string): Response =>
  new Response(text, {
    status,
    headers: { ...securityHeaders, 'content-type': 'text/plain; charset=utf-8' },
  });
