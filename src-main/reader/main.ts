/**
 * A reader process: opens files that may come from anywhere, so that one which crashes, hangs or bloats its decoder costs
 * this process and not the service. Speaks protocol.ts over Node's IPC channel (child_process.fork) or Electron's parentPort
 * (utilityProcess), and never outlives the process that started it. First argument: how much memory it may use, in bytes.
 */
import { type FromReader, memoryExitCode, type ReadRequest, toFailure } from './protocol.ts';
import { type ReadingName, type ReadingOutput, type ReadingPart, readings } from './readings/index.ts';

/** The part of Electron's process.parentPort that is used here. */
interface ParentPort {
  on(event: 'message', listener: (event: { data: ReadRequest }) => void): void;
  postMessage(message: FromReader): void;
}
const parentPort = (process as { parentPort?: ParentPort }).parentPort;

const memoryLooksEveryMs = 20;

const send = (message: FromReader): void => {
  if (parentPort) parentPort.postMessage(message);
  else process.send!(message);
};

async function onRequest({ id, kind, input }: ReadRequest): Promise<void> {
  try {
    const read = readings[kind] as (
      given: typeof input,
      tell: (part: ReadingPart<ReadingName>) => void,
    ) => Promise<ReadingOutput<ReadingName>>;
    send({ id, output: await read(input, (part) => send({ id, part })) });
  } catch (error) {
    send({ id, failure: toFailure(error) });
  }
}

const maxBytes = Number(process.argv[2]);
if ((!parentPort && !process.send) || !(maxBytes > 0)) {
  process.stderr.write('This program is started by the service, not by hand. See `cotune --help`.\n');
  process.exit(2);
}
// Decoders take their memory in native code, on threads of their own: this turn stays free to look.
setInterval(() => {
  if (process.memoryUsage.rss() > maxBytes) process.exit(memoryExitCode);
}, memoryLooksEveryMs).unref();
// Ctrl-C reaches the whole group; the service decides what it means.
process.on('SIGINT', () => {});
if (parentPort) parentPort.on('message', (event) => void onRequest(event.data));
else {
  process.on('message', onRequest);
  process.on('disconnect', () => process.exit(0));
}
send({ ready: true });
