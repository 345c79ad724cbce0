import { createHmac, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type RunningServer, startServer } from '../../src-main/hosts/headless/server.ts';
import type { Service } from '../../src-main/service/service.ts';
import type { ServiceFrame } from '../../src-shared/contract.ts';
import { type Fixture, fill, makeFixture, open } from './fixture.ts';

let fixture: Fixture;
let service: Service;
let server: RunningServer;
let token: string;
let host: string;
let sample: number;

beforeAll(async () => {
  fixture = await makeFixture();
  service = await open(fixture);
  await fill(service, fixture);
  sample = (await service.call('datasets.samples', { dataset: 'insects' })).samples[0].id;
  const rendererFolder = join(fixture.root, 'renderer');
  mkdirSync(join(rendererFolder, 'assets'), { recursive: true });
  writeFileSync(join(rendererFolder, 'index.html'), '<!doctype html>');
  writeFileSync(join(rendererFolder, 'assets', 'main.js'), 'export {}');
  writeFileSync(join(fixture.root, 'secret.json'), '{}');
  server = await startServer({ service, folders: [fixture.images, fixture.home], port: 0, rendererFolder });
  token = new URL(server.url).hash.replace('#token=', '');
  host = `127.0.0.1:${server.port}`;
});
afterAll(async () => {
  await server.close();
  await service.close();
  fixture.remove();
});

interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** One request with the path as given: `fetch` would tidy it up before sending. */
function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: server.port,
        path,
        method: options.method ?? 'GET',
        headers: { host, ...options.headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    request.on('error', reject);
    request.end();
  });
}
const bearer = () => ({ authorization: `Bearer ${token}` });
/** A picture's address as the page signs it. */
const signed = (path: string, key = token) =>
  `/${path}?signature=${createHmac('sha256', key).update(path).digest('hex')}`;

/** The status of a WebSocket's opening: 101 where it is let in. */
function knock(
  path: string,
  headers: Record<string, string> = {},
  protocols = ['cotune', `token.${token}`],
): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${host}${path}`, protocols, { headers: { host, ...headers } });
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode!));
    socket.on('error', reject);
  });
}

async function openSocket(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${host}/ws`, ['cotune', `token.${token}`]);
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  return socket;
}
const nextFrame = (socket: WebSocket): Promise<ServiceFrame> =>
  new Promise((resolve) => socket.once('message', (data) => resolve(JSON.parse(String(data)))));

describe('the door', () => {
  test('the printed URL carries the key where no request does, and nothing sets a cookie', async () => {
    expect(server.url).toBe(`http://${host}/#token=${token}`);
    expect(token).toMatch(/^[\w-]{32}$/);
    for (const path of ['/', '/assets/main.js', '/access', signed(`images/${sample}/thumb`)]) {
      expect((await ask(path, { headers: bearer() })).headers['set-cookie']).toBeUndefined();
    }
  });

  test('the page itself is no secret: it comes without the key and holds none', async () => {
    const { status, body } = await ask('/');
    expect([status, String(body)]).toEqual([200, '<!doctype html>']);
  });

  test('a page is told whether its key is that of this launch', async () => {
    expect((await ask('/access', { headers: bearer() })).status).toBe(204);
    for (const authorization of ['', 'Bearer ', 'Bearer AAAA', token, `Bearer ${token}A`]) {
      const { status, body } = await ask('/access', { headers: { authorization } });
      expect([status, String(body)]).toEqual([401, expect.stringContaining('the terminal printed')]);
    }
    expect((await ask('/access')).status).toBe(401);
  });

  test('a picture needs an address signed for it, in its size, with this launch’s key', async () => {
    const path = `images/${sample}/thumb`;
    expect((await ask(signed(path))).status).toBe(200);
    const signature = signed(path).split('?')[1];
    for (const wrong of [
      `/${path}`,
      `/${path}?signature=`,
      signed(path, 'another key'),
      `/images/${sample}/full?${signature}`,
      `/images/${sample + 1}/thumb?${signature}`,
      `/${path}?token=${token}`,
    ]) {
      expect((await ask(wrong, { headers: bearer() })).status).toBe(401);
    }
  });

  test.each([
    'evil.example',
    `evil.example:1`,
    '127.0.0.1.evil.example',
    '0.0.0.0',
    'localhost@evil.example',
  ])('a request for the host «%s» is refused even with the token', async (name) => {
    expect((await ask('/', { headers: { host: name } })).status).toBe(403);
    expect(await knock('/ws', { host: name })).toBe(403);
  });

  test.each(['https://evil.example', 'null', 'http://127.0.0.1:1', 'http://localhost'])(
    'a request from a page of %s is refused even with the key',
    async (origin) => {
      expect((await ask('/', { headers: { ...bearer(), origin } })).status).toBe(403);
      expect(await knock('/ws', { origin })).toBe(403);
    },
  );

  test('an SSH tunnel that ends on another port is let in', async () => {
    const headers = { host: 'localhost:9999', origin: 'http://localhost:9999' };
    expect((await ask('/', { headers })).status).toBe(200);
    expect((await ask(signed(`images/${sample}/thumb`), { headers })).status).toBe(200);
    expect((await ask('/access', { headers: { ...headers, ...bearer() } })).status).toBe(204);
    expect(await knock('/ws', headers)).toBe(101);
  });

  test('only GET and HEAD are answered', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const reply = await ask('/', { method, headers: bearer() });
      expect([reply.status, reply.headers.allow]).toEqual([405, 'GET, HEAD']);
    }
  });

  test('it listens on the loopback address only', async () => {
    const { port } = server;
    const outside = Object.values((await import('node:os')).networkInterfaces())
      .flat()
      .find((address) => address && !address.internal && address.family === 'IPv4');
    for (const address of ['127.0.0.2', outside?.address].filter((one) => one !== undefined)) {
      const refused = await new Promise((resolve) => {
        const socket = connect(port, address);
        socket.on('connect', () => resolve(socket.destroy() && false)).on('error', () => resolve(true));
      });
      expect(refused).toBe(true);
    }
  });
});

describe('files', () => {
  test('every answer carries the strict policy', async () => {
    for (const path of ['/', '/assets/main.js', '/nothing', signed('images/999999/thumb')]) {
      const { headers } = await ask(path);
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['content-security-policy']).toContain("script-src 'self'");
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['cross-origin-resource-policy']).toBe('same-origin');
    }
  });

  test('a script comes as a script', async () => {
    const reply = await ask('/assets/main.js');
    expect([reply.status, reply.headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8']);
  });

  test.each([
    '/../secret.json',
    '/assets/../../secret.json',
    '/%2e%2e/secret.json',
    '/..%2fsecret.json',
    '/assets/..%5c..%5csecret.json',
    '/%2e%2e%2f%2e%2e%2fetc/passwd',
    '/assets/main.js%00.html',
    '/%',
    '//evil.example/x',
    '/assets',
    '/assets/',
  ])('%s leads nowhere', async (path) => {
    const { status, body } = await ask(path);
    expect([400, 404]).toContain(status);
    expect(String(body)).not.toContain('{');
  });

  test('a picture comes by its image number, in two sizes', async () => {
    for (const size of ['thumb', 'full']) {
      const reply = await ask(signed(`images/${sample}/${size}`));
      expect(reply.status).toBe(200);
      expect(reply.headers['content-type']).toMatch(/^image\//);
      expect(reply.body.length).toBeGreaterThan(20);
    }
  });

  test.each(['images/0/thumb', 'images/-1/thumb', 'images/1e3/thumb', 'images/999999/full', 'images/1/huge'])(
    'there is no picture at %s',
    async (path) => {
      expect((await ask(signed(path))).status).toBe(404);
    },
  );
});

describe('the conversation', () => {
  test('a call is answered under its number, and events arrive at every client', async () => {
    const [one, two] = [await openSocket(), await openSocket()];
    one.send(JSON.stringify({ id: 7, call: 'datasets.list', input: {} }));
    expect(await nextFrame(one)).toMatchObject({ id: 7, output: [{ name: 'insects' }] });
    const heard = Promise.all([nextFrame(one), nextFrame(two)]);
    await service.call('models.add', { path: fixture.weights, name: 'second' });
    for (const frame of await heard) expect(frame).toEqual({ event: 'models.changed', data: {} });
    one.terminate();
    two.terminate();
  });

  test.each([
    ['not JSON', 'hello'],
    ['no object', '[]'],
    ['null', 'null'],
    ['no number', '{"call":"datasets.list"}'],
    ['a fractional number', '{"id":1.5,"call":"datasets.list"}'],
    ['no call', '{"id":1}'],
    ['a call that does not exist', '{"id":1,"call":"datasets.burn"}'],
    ['an inherited name', '{"id":1,"call":"__proto__"}'],
    ['a wrong input', '{"id":1,"call":"runs.get","input":{"run":"one"}}'],
    ['an input that is no object', '{"id":1,"call":"runs.get","input":3}'],
  ])('a frame with %s is answered with an error, and the next one works', async (_, text) => {
    const socket = await openSocket();
    socket.send(text);
    expect(await nextFrame(socket)).toMatchObject({ error: { code: 'bad-input' } });
    socket.send(JSON.stringify({ id: 2, call: 'runs.list', input: {} }));
    expect(await nextFrame(socket)).toMatchObject({ id: 2, output: [] });
    socket.terminate();
  });

  test('a frame over the size limit ends that client only', async () => {
    const [bad, good] = [await openSocket(), await openSocket()];
    const code = new Promise((resolve) => bad.on('close', resolve));
    bad.send(JSON.stringify({ id: 1, call: 'runs.list', input: { filler: 'x'.repeat(5 * 2 ** 20) } }));
    expect(await code).toBe(1009);
    good.send(JSON.stringify({ id: 1, call: 'runs.list', input: {} }));
    expect(await nextFrame(good)).toMatchObject({ id: 1 });
    good.terminate();
  });

  test('a client that asks a thousand times at once gets a thousand answers', async () => {
    const socket = await openSocket();
    const seen = new Set<number>();
    const all = new Promise<void>((resolve) =>
      socket.on('message', (data) => {
        const frame = JSON.parse(String(data)) as ServiceFrame;
        if ('id' in frame) seen.add(frame.id);
        if (seen.size === 1000) resolve();
      }),
    );
    for (let id = 0; id < 1000; id++) socket.send(JSON.stringify({ id, call: 'runs.list', input: {} }));
    await all;
    socket.terminate();
  });

  test('a client that does not read what it asks for is cut off before it fills the memory', async () => {
    const large = 'x'.repeat(2 ** 20);
    const verbose: Service = { ...service, call: async () => large as never, on: () => () => {} };
    const other = await startServer({ service: verbose, folders: ['/'], port: 0 });
    const socket = new WebSocket(`ws://127.0.0.1:${other.port}/ws`, [
      'cotune',
      other.url.replace(/.*#token=/, 'token.'),
    ]);
    await new Promise((resolve) => socket.on('open', resolve));
    const ended = new Promise((resolve) => socket.on('close', resolve));
    socket.pause();
    for (let id = 0; id < 200; id++) socket.send(JSON.stringify({ id, call: 'runs.list', input: {} }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    socket.resume();
    expect(await ended).toBe(1006);
    await other.close();
  });

  test('there is a WebSocket at /ws only, and not without the token', async () => {
    expect(await knock('/other')).toBe(403);
    expect(await knock('/ws')).toBe(101);
    for (const protocols of [
      [],
      ['cotune'],
      ['cotune', 'token.wrong'],
      ['cotune', token],
      [`token.${token}`],
    ]) {
      expect(await knock('/ws', {}, protocols)).toBe(403);
    }
    const elsewhere = { cookie: `cotune-${server.port}=${token}`, authorization: `Bearer ${token}` };
    expect(await knock(`/ws?token=${token}`, elsewhere, [])).toBe(403);
  });

  test('a raw socket that speaks nonsense, or breaks off while knocking, leaves the server working', async () => {
    for (const bytes of [
      '\x16\x03\x01nonsense\r\n\r\n',
      `GET // HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      `GET /ws HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(server.port, '127.0.0.1', () => {
          socket.write(bytes);
          setTimeout(() => socket.resetAndDestroy(), 50);
        });
        socket.on('close', () => resolve()).on('error', () => {});
      });
    }
    expect((await ask('/')).status).toBe(200);
  });
});

describe('the folders', () => {
  const calls: [string, (path: string) => unknown][] = [
    ['system.listFolder', (path) => ({ path })],
    ['datasets.import', (path) => ({ path, name: 'more' })],
    ['models.add', (path) => ({ path, name: 'more' })],
    ['models.add', (path) => ({ path: fixture.home, classesPath: path, name: 'more' })],
    ['runs.predict', (path) => ({ run: 1, paths: [fixture.images, path] })],
    ['runs.explain', (path) => ({ run: 1, paths: [fixture.images, path] })],
    ['runs.explain', (path) => ({ run: 1, paths: [fixture.images], out: path })],
    ['runs.export', (path) => ({ run: 1, format: 'csv', path })],
  ];
  test.each(calls)('%s keeps to those that were named, links followed', async (call, input) => {
    symlinkSync('/etc', join(fixture.home, `link-${call}-${randomUUID()}`));
    const link = readdirSync(fixture.home).find((name) => name.startsWith(`link-${call}`))!;
    const socket = await openSocket();
    for (const path of [
      '/etc/hostname',
      `${fixture.home}/../secret.json`,
      join(fixture.home, link, 'passwd'),
    ]) {
      socket.send(JSON.stringify({ id: 1, call, input: input(path) }));
      expect(await nextFrame(socket)).toMatchObject({
        error: { code: 'bad-input', hint: expect.stringContaining('--allow') },
      });
    }
    socket.terminate();
  });

  test('browsing begins in the first of them and does not lead out', async () => {
    const socket = await openSocket();
    socket.send(JSON.stringify({ id: 1, call: 'system.listFolder', input: {} }));
    expect(await nextFrame(socket)).toMatchObject({
      output: { path: fixture.images, parent: null, entries: [{ name: 'bee' }, { name: 'wasp' }] },
    });
    socket.terminate();
  });
});

test('a port that is taken is named, with what to do', async () => {
  await expect(startServer({ service, folders: ['/'], port: server.port })).rejects.toMatchObject({
    code: 'unavailable',
    hint: expect.stringContaining('--port'),
  });
  await expect(startServer({ service, folders: ['/'], port: 70000 })).rejects.toMatchObject({
    code: 'bad-input',
  });
});
