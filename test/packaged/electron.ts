/**
 * Stands in for Electron's module, as far as the app uses it, so that the packaged programs run under plain Node: processes are
 * Node's, the window is a page that only the test looks at. What Electron itself does (Chromium, archives, fuses) is not here.
 * Started by `stand-in.ts`; the test drives the page over this process's IPC channel (`app.ts`).
 */
import { fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { MessagePort } from 'node:worker_threads';
import type { FromPage, ToPage } from './app.ts';

type Anything = (...given: unknown[]) => unknown;

class App extends EventEmitter {
  readonly isPackaged = true;
  readonly commandLine = {
    getSwitchValue: (name: string) =>
      process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '',
  };
  setPath(): void {}
  enableSandbox(): void {}
  requestSingleInstanceLock(): boolean {
    return true;
  }
  async whenReady(): Promise<void> {}
  quit(): void {
    let prevented = false;
    const preventDefault = () => {
      prevented = true;
    };
    this.emit('will-quit', { preventDefault });
    if (!prevented) this.exit();
  }
  exit(code = 0): void {
    process.exit(code);
  }
}
export const app = new App();

let answerRequest: (request: { url: string; method: string }) => Promise<Response>;
export const protocol = {
  registerSchemesAsPrivileged(): void {},
  handle(_: string, handler: typeof answerRequest): void {
    answerRequest = handler;
  },
};

type Filter = (request: { url: string }, answer: (verdict: { cancel: boolean }) => void) => void;
let filter: Filter;
export const session = {
  defaultSession: {
    setPermissionRequestHandler(): void {},
    setPermissionCheckHandler(): void {},
    setDevicePermissionHandler(): void {},
    webRequest: {
      onBeforeRequest(_: unknown, given: Filter): void {
        filter = given;
      },
    },
  },
};

const handlers = new Map<string, Anything>();
export const ipcMain = Object.assign(new EventEmitter(), {
  handle: (channel: string, handler: Anything) => void handlers.set(channel, handler),
});

/** The event of a message from the page. */
const fromPage = (ports: unknown[] = []) => ({
  ports,
  sender: BrowserWindow.opened?.webContents,
  senderFrame: { url: BrowserWindow.opened?.url ?? '', parent: null },
});
export const ipcRenderer = {
  postMessage(channel: string, message: unknown, ports: MessagePort[]): void {
    ipcMain.emit(channel, fromPage(ports.map(mainPort)), message);
  },
  invoke: async (channel: string, ...given: unknown[]) => handlers.get(channel)!(fromPage(), ...given),
};

/** Electron's end of a channel: its messages are events with `data`, and wait until it is started. */
function mainPort(port: MessagePort) {
  const waiting: [string, (event: unknown) => void][] = [];
  return {
    postMessage: (message: unknown) => port.postMessage(message),
    on: (event: string, listener: (event: unknown) => void) => void waiting.push([event, listener]),
    close: () => port.close(),
    start() {
      for (const [event, listener] of waiting)
        port.on(event, (data: unknown) => listener(event === 'message' ? { data } : {}));
    },
  };
}

export const contextBridge = {
  exposeInMainWorld(_: string, bridge: { connect(): void }): void {
    let calls: MessagePort;
    // How the preload hands the page its port.
    const window = {
      postMessage(_: unknown, __: unknown, [port]: MessagePort[]): void {
        calls = port;
      },
    };
    Object.assign(globalThis, { window });
    bridge.connect();
    const say = (message: FromPage) => process.send!(message);
    calls!.on('message', (frame) => say({ frame }));
    process.on('message', async (message: ToPage) => {
      if ('frame' in message) calls.postMessage(message.frame);
      else if ('fetch' in message) say({ fetched: message.fetch, ...(await fetchInPage(message.fetch)) });
      else app.quit();
    });
  },
};

/** What the page gets for an address; status 0 where the app lets no request out. */
async function fetchInPage(url: string) {
  const allowed = await new Promise((resolve) => filter({ url }, ({ cancel }) => resolve(!cancel)));
  if (!allowed) return { status: 0, type: '', body: Buffer.alloc(0) };
  const response = await answerRequest({ url, method: 'GET' });
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    body: Buffer.from(await response.arrayBuffer()),
  };
}

export class BrowserWindow extends EventEmitter {
  static opened: BrowserWindow | undefined;
  static getAllWindows = () => (BrowserWindow.opened ? [BrowserWindow.opened] : []);
  static fromWebContents = () => BrowserWindow.opened ?? null;
  url = '';
  readonly webContents = Object.assign(new EventEmitter(), { setWindowOpenHandler() {} });
  readonly preload: string;

  constructor({ webPreferences }: { webPreferences: { preload: string } }) {
    super();
    this.preload = webPreferences.preload;
    BrowserWindow.opened = this;
    app.emit('browser-window-created');
    app.emit('web-contents-created', {}, this.webContents);
  }
  async loadURL(url: string): Promise<void> {
    this.url = url;
    createRequire(this.preload)(this.preload);
    this.emit('ready-to-show');
    process.send!({ opened: url } satisfies FromPage);
  }
  show(): void {}
}

export const utilityProcess = {
  fork(entry: string, args: string[]) {
    const child = fork(entry, args, {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: ['--import', fileURLToPath(new URL('./parent-port.ts', import.meta.url))],
    });
    return Object.assign(new EventEmitter(), {
      get pid() {
        return child.pid;
      },
      stderr: child.stderr as Readable,
      postMessage: (message: object) => void child.send(message),
      on: (event: string, listener: (...given: unknown[]) => void) => void child.on(event, listener),
      once: (event: string, listener: (...given: unknown[]) => void) => void child.once(event, listener),
    });
  },
};

export const screen = {
  getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1280, height: 860 } }],
};
export const dialog = {
  showErrorBox: (title: string, text: string) => void process.stderr.write(`${title}: ${text}\n`),
  showOpenDialog: async () => ({ canceled: true, filePaths: [] }),
};
export const Menu = { buildFromTemplate: () => ({}), setApplicationMenu() {} };
export const nativeImage = { createFromPath: () => ({}) };
export class Tray {}
