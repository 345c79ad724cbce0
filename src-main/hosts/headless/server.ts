import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { ServiceFrame } from '../../../src-shared/contract.ts';
import { CotuneError, toErrorValue } from '../../../src-shared/errors.ts';
import type { Service } from '../../service/service.ts';
import { answer, forwardEvents } from '../frames.ts';
import { contentSecurityPolicy, pictureOf, rendererFile } from '../renderer-files.ts';
import { carriesToken, cookieName, fromHere, sameSecret } from './access.ts';

/** A frame from a client is a request; anything near this size is a mistake or an attack. */
const maxFrameBytes = 4 * 2 ** 20;
/** A client that reads slower than events arrive is cut off here; it reconnects and asks for what it missed. */
const maxBufferedBytes = 64 * 2 ** 20;

export interface ServerOptions {
  service: Service;
  /** 0 for any free port. */
  port: number;
  /** Default: where vite builds the renderer. */
  rendererFolder?: string;
}

export interface RunningServer {
  /** With this launch's token: opening it is the way in. */
  url: string;
  port: number;
  close(): Promise<void>;
}

/**
 * Serves the app on 127.0.0.1: the renderer's files, pictures, and the contract over a WebSocket at `/ws`. Every
 * request must carry this launch's token, name this host, and come from no foreign page.
 * @throws CotuneError `unavailable` where the port is taken.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { service } = options;
  const token = randomBytes(24).toString('base64url');
  let port = options.port;
  const server = createServer((request, response) => {
    respond(request, response).catch((error) => {
      console.error(error);
      if (!response.headersSent) refuse(response, 500, 'The server failed; its terminal says how.');
    });
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    secure(response);
    if (!fromHere(request, port)) return refuse(response, 403, 'This address does not belong to the app.');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refuse(response, 405, 'Only GET is answered.');
    const url = new URL(request.url ?? '/', `http://127.0.0.1:${port}`);
    if (!carriesToken(request, url, port, token))
      return refuse(
        response,
        401,
        'Open the URL that the terminal printed: it carries the key to this launch.',
      );
    if (sameSecret(url.searchParams.get('token'), token) && url.pathname === '/') {
      const cookie = `${cookieName(port)}=${token}; HttpOnly; SameSite=Strict; Path=/`;
      response.writeHead(303, { location: '/', 'set-cookie': cookie });
      response.end();
      return;
    }
    const picture = pictureOf(url.pathname);
    if (picture) return sendPicture(response, picture);
    const file = await rendererFile(url.pathname, options.rendererFolder);
    if (!file) return refuse(response, 404, 'There is nothing here.');
    response.writeHead(200, { 'content-type': file.contentType, 'cache-control': 'no-cache' });
    response.end(request.method === 'HEAD' ? undefined : file.data);
  }

  async function sendPicture(
    response: ServerResponse,
    of: { sample: number; size: 'thumb' | 'full' },
  ): Promise<void> {
    try {
      const { data, contentType } = await service.picture(of.sample, of.size);
      response.writeHead(200, { 'content-type': contentType, 'cache-control': 'private, max-age=3600' });
      response.end(data);
    } catch (error) {
      const { code, message } = toErrorValue(error);
      refuse(response, code === 'not-found' ? 404 : 500, message);
    }
  }

  server.on('upgrade', (request, socket: Socket, head) => {
    const url = new URL(request.url ?? '/', `http://127.0.0.1:${port}`);
    // A browser always names its origin for a WebSocket; one that is absent is a local program with the token.
    if (url.pathname !== '/ws' || !fromHere(request, port) || !carriesToken(request, url, port, token)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => converse(service, client));
  });

  port = await listen(server, options.port);
  return {
    url: `http://127.0.0.1:${port}/?token=${token}`,
    port,
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Speaks the contract with one client until it goes. */
function converse(service: Service, client: WebSocket): void {
  const send = (frame: ServiceFrame): void => {
    if (client.readyState !== WebSocket.OPEN) return;
    if (client.bufferedAmount > maxBufferedBytes) client.terminate();
    else client.send(JSON.stringify(frame));
  };
  const stop = forwardEvents(service, send);
  client.on('message', async (data) => {
    let frame: unknown;
    try {
      frame = JSON.parse(String(data));
    } catch {
      frame = null;
    }
    send(await answer(service, frame));
  });
  client.on('close', stop);
  // A frame over the limit or a broken connection ends in `close`; there is nobody left to tell.
  client.on('error', () => {});
}

function secure(response: ServerResponse): void {
  response.setHeader('content-security-policy', contentSecurityPolicy);
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('cross-origin-resource-policy', 'same-origin');
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    ...(status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(`${text}\n`);
}

async function listen(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new CotuneError(
          'unavailable',
          `Port ${port} on 127.0.0.1 cannot be used (${error.code}).`,
          'Choose another with --port, or leave it out for any free one.',
          { cause: error },
        ),
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}
