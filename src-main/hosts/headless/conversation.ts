import { WebSocket } from 'ws';
import type { ServiceFrame } from '../../../src-shared/contract.ts';
import { CotuneError, toErrorValue } from '../../../src-shared/errors.ts';
import type { Service } from '../../service/service.ts';
import { answer, forwardEvents } from '../frames.ts';

/** A client that asks faster than it is answered is not read from until answers have caught up. */
const maxUnderWay = 64;
/** A client that reads slower than events arrive is cut off here; it reconnects and asks for what it missed. */
const maxBufferedBytes = 64 * 2 ** 20;

/** Speaks the contract with one client until it goes. */
export function converse(service: Service, client: WebSocket): void {
  let underWay = 0;
  const send = (frame: ServiceFrame): void => {
    if (client.readyState !== WebSocket.OPEN) return;
    if (client.bufferedAmount > maxBufferedBytes) client.terminate();
    else client.send(sized(frame));
  };
  const endEvents = forwardEvents(service, send);
  client.on('message', async (data) => {
    if (++underWay >= maxUnderWay) client.pause();
    send(await answer(service, parse(String(data))));
    if (--underWay < maxUnderWay && client.isPaused) client.resume();
  });
  client.on('close', endEvents);
  // A frame over the limit or a broken connection ends in `close`; there is nobody left to tell.
  client.on('error', () => {});
}

/** A frame as text; an answer that is too long for one message says so, instead of ending a client who would ask again. */
function sized(frame: ServiceFrame): string {
  const text = JSON.stringify(frame);
  if (text.length <= maxBufferedBytes || !('id' in frame)) return text;
  const error = new CotuneError(
    'bad-input',
    `The answer has ${Math.round(text.length / 2 ** 20)} MiB, more than one message may.`,
    'Ask for less at once: a page, or one class.',
  );
  return JSON.stringify({ id: frame.id, error: toErrorValue(error) });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
