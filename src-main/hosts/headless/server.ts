import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { CotuneError, toErrorValue } from '../../../src-shared/errors.ts';
import type { Service } from '../../service/service.ts';
import { pictureOf, rendererFile, securityHeaders } from '../renderer-files.ts';
import { asksWithToken, bearsToken, fromHere, isSigned, protocol, requestUrl } from './access.ts';
import { confine } from './confine.ts';
import { converse } from './conversation.ts';

/** A frame from a client is a request; anything near this size is a mistake or an attack. */
const maxFrameBytes = 4 * 2 ** 20;
const openPrinted = 'Open the URL that the terminal printed: it carries the key to this launch.';

export interface ServerOptions {
  service: Service;
  /** The folders that calls may name paths in, beside the datasets' own; at least one. */
  folders: readonly string[];
  /** 0 for any free port. */
  port: number;
  /** Default: where vite builds the renderer. */
  rendererFolder?: string;
}

export interface RunningServer {
  /** With this launch's token in its fragment, which browsers keep to themselves: opening it is the way in. */
  url: string;
  port: number;
  close(): Promise<void>;
}

/**
 * Serves the app on 127.0.0.1: the renderer's files, pictures, and the contract over a WebSocket at `/ws`. Every
 * request must name this machine and come from no foreign page. The conversation needs this launch's token, a picture an
 * address signed with it; the renderer's files are no secret. No cookie: those go to every port of a machine. Errors:
 * `unavailable` where the port cannot be used.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const service = confine(options.service, options.folders);
  const token = randomBytes(24).toString('base64url');
  const server = createServer((request, response) => {
    respond(request, response).catch((error) => {
      console.error(error);
      if (response.headersSent) response.destroy();
      else refuse(response, 500, 'The server failed; its terminal says how.');
    });
  });
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    handleProtocols: () => protocol,
  });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    const url = requestUrl(request);
    if (!fromHere(request)) return refuse(response, 403, 'This address does not belong to the app.');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return refuse(response, 405, 'Only GET is answered.');
    }
    if (!url) return refuse(response, 400, 'That is no path.');
    if (url.pathname === '/access') {
      if (!bearsToken(request, token)) return refuse(response, 401, openPrinted);
      response.writeHead(204).end();
      return;
    }
    const picture = pictureOf(url.pathname);
    if (picture) {
      if (!isSigned(url, picture, token)) return refuse(response, 401, openPrinted);
      return sendPicture(response, picture);
    }
    const file = await rendererFile(url.pathname, options.rendererFolder);
    if (!file) return refuse(response, 404, 'There is nothing here.');
    response.writeHead(200, { 'content-type': file.contentType, 'cache-control': 'no-cache' }).end(file.data);
  }

  async function sendPicture(
    response: ServerResponse,
    { sample, size }: { sample: number; size: 'thumb' | 'full' },
  ): Promise<void> {
    try {
      const { data, contentType } = await service.picture(sample, size);
      const headers = { 'content-type': contentType, 'cache-control': 'private, max-age=3600' };
      response.writeHead(200, headers).end(data);
    } catch (error) {
      const { code, message } = toErrorValue(error);
      refuse(response, code === 'not-found' ? 404 : 500, message);
    }
  }

  server.on('upgrade', (request, socket: Duplex, head) => {
    // A connection that breaks here is gone; without a listener its error would end the process.
    socket.on('error', () => socket.destroy());
    const url = requestUrl(request);
    // A browser always names its origin for a WebSocket; one that is absent is a local program with the token.
    if (url?.pathname !== '/ws' || !fromHere(request) || !asksWithToken(request, token)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => converse(service, client));
  });

  const port = await listen(server, options.port);
  return {
    url: `http://127.0.0.1:${port}/#token=${token}`,
    port,
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

async function listen(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new CotuneError('bad-input', `${port} is not a port.`, 'Ports are whole numbers up to 65535.');
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
