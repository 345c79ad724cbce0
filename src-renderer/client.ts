/** The contract's client over a WebSocket or a message port: calls wait out a lost connection, events flow again after it. */
import type {
  CallInput,
  CallName,
  CallOutput,
  Client,
  ClientFrame,
  EventData,
  EventName,
  ServiceFrame,
} from '../src-shared/contract.ts';
import { CotuneError } from '../src-shared/errors.ts';

/** `refused`: the service is there but will not speak with this page; only another address of it helps. */
export type ConnectionState = 'connecting' | 'open' | 'lost' | 'refused';

export interface Connection extends Client {
  /** Called at once with the present state and at every change; returns the function that ends it. */
  onState(listener: (state: ConnectionState) => void): () => void;
  close(): void;
}

/** One live connection: frames go out through `send`; `closed` is reported at most once. */
export interface Wire {
  send(frame: ClientFrame): void;
  close(): void;
}
export interface WireListener {
  opened(): void;
  frame(frame: ServiceFrame): void;
  closed(why?: 'refused'): void;
}
export type OpenWire = (listener: WireListener) => Wire;

/** What the Electron preload exposes; absent in a browser. */
export interface DesktopBridge {
  /** Opens a channel; its port arrives as the window message `cotune:port`. */
  connect(): void;
  /** Native dialogs; null when the person cancels. */
  pickFolder(): Promise<string | null>;
  pickFile(): Promise<string | null>;
  /** Where a dropped file lies. */
  pathOf(file: File): string;
}

/** Calls that change something: after a lost connection the caller must look before trying again. */
const changes: ReadonlySet<CallName> = new Set<CallName>([
  'datasets.import',
  'datasets.delete',
  'features.make',
  'views.save',
  'views.delete',
  'models.add',
  'models.fetch',
  'models.measure',
  'models.rank',
  'models.delete',
  'rankings.delete',
  'tasks.cancel',
  'relationships.learn',
  'runs.start',
  'runs.resume',
  'runs.stop',
  'runs.delete',
  'runs.export',
  'runs.predict',
  'runs.explain',
  'experiments.start',
  'experiments.resume',
  'experiments.stop',
  'experiments.report',
]);

interface Pending {
  frame: ClientFrame;
  sent: boolean;
  resolve(output: unknown): void;
  reject(error: CotuneError): void;
}

const longestWaitMs = 5000;

/**
 * Connects and stays connected: a lost wire is opened again after 0.25 s, then ever later up to 5 s. Reads that
 * were under way are asked again; changes that were under way fail with `unavailable`, for they may have happened.
 */
export function connect(openWire: OpenWire): Connection {
  const pending = new Map<number, Pending>();
  const listeners = new Map<EventName, Set<(data: never) => void>>();
  const stateListeners = new Set<(state: ConnectionState) => void>();
  let state: ConnectionState = 'connecting';
  let wire: Wire | null = null;
  let nextId = 1;
  let waitMs = 250;
  let closedByUs = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const setState = (next: ConnectionState) => {
    if (state === next) return;
    state = next;
    for (const listener of stateListeners) listener(next);
  };

  const transmit = (entry: Pending) => {
    entry.sent = true;
    wire!.send(entry.frame);
  };

  const receive = (frame: ServiceFrame) => {
    if ('event' in frame) {
      for (const listener of listeners.get(frame.event) ?? []) listener(frame.data as never);
      return;
    }
    const entry = pending.get(frame.id);
    if (!entry) return;
    pending.delete(frame.id);
    if ('error' in frame)
      entry.reject(new CotuneError(frame.error.code, frame.error.message, frame.error.hint));
    else entry.resolve(frame.output);
  };

  const lose = (why?: 'refused') => {
    wire = null;
    if (closedByUs) return;
    setState(why ?? 'lost');
    for (const [id, entry] of pending) {
      if (!entry.sent) continue;
      entry.sent = false;
      if (!changes.has(entry.frame.call)) continue;
      pending.delete(id);
      entry.reject(
        new CotuneError(
          'unavailable',
          'The connection to the service was lost before it answered.',
          'It may have done what you asked: look at the list before trying again.',
        ),
      );
    }
    timer = setTimeout(open, waitMs);
    waitMs = Math.min(longestWaitMs, waitMs * 2);
  };

  function open() {
    wire = openWire({
      opened() {
        waitMs = 250;
        for (const entry of pending.values()) transmit(entry);
        setState('open');
      },
      frame: receive,
      closed: lose,
    });
  }
  open();

  return {
    call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> {
      return new Promise((resolve, reject) => {
        const id = nextId++;
        const entry: Pending = {
          frame: { id, call: name, input },
          sent: false,
          resolve: resolve as (output: unknown) => void,
          reject,
        };
        pending.set(id, entry);
        if (state === 'open') transmit(entry);
      });
    },
    on<N extends EventName>(name: N, listener: (data: EventData<N>) => void) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set);
      set.add(listener);
      return () => set.delete(listener);
    },
    onState(listener) {
      stateListeners.add(listener);
      listener(state);
      return () => stateListeners.delete(listener);
    },
    close() {
      closedByUs = true;
      clearTimeout(timer);
      wire?.close();
    },
  };
}

/** How a page is let in: its key, and whether the host says that it is not the right one. */
export interface Access {
  accessToken(): string | null;
  isRefused(): Promise<boolean>;
}

/** Frames as JSON over a WebSocket at `url`. The key goes as a subprotocol: a page can set no other header of it. */
export const socketWire =
  (url: string, { accessToken, isRefused }: Access): OpenWire =>
  (listener) => {
    const token = accessToken();
    const socket = new WebSocket(url, token === null ? [] : ['cotune', `token.${token}`]);
    let opened = false;
    socket.addEventListener('open', () => {
      opened = true;
      listener.opened();
    });
    socket.addEventListener('message', (event) => listener.frame(JSON.parse(String(event.data))));
    socket.addEventListener('close', async () =>
      listener.closed(!opened && (await isRefused()) ? 'refused' : undefined),
    );
    return {
      send: (frame) => socket.send(JSON.stringify(frame)),
      close: () => socket.close(),
    };
  };

/** Frames as structured clones over the message port of the desktop shell. */
export const portWire =
  (bridge: DesktopBridge): OpenWire =>
  (listener) => {
    let port: MessagePort | null = null;
    const receive = (event: MessageEvent) => {
      if (event.source !== window || event.data !== 'cotune:port') return;
      window.removeEventListener('message', receive);
      [port] = event.ports;
      port.onmessage = ({ data }) => listener.frame(data as ServiceFrame);
      port.addEventListener('close', () => listener.closed());
      listener.opened();
    };
    window.addEventListener('message', receive);
    bridge.connect();
    return {
      send: (frame) => port?.postMessage(frame),
      close: () => port?.close(),
    };
  };
