import { WebSocket } from 'ws';
import type { ServiceFrame } from '../../../src-shared/contract.ts';
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
    else client.send(JSON.stringify(frame));
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

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
