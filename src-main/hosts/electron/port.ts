import { ipcMain, type MessagePortMain } from 'electron';
import type { Service } from '../../service/service.ts';
import { answer, forwardEvents } from '../frames.ts';
import { isOwnPage } from './app-protocol.ts';

/** Speaks the contract with every page of the app that sends the end of a message channel. */
export function servePorts(service: Service): void {
  ipcMain.on('cotune:connect', (event) => {
    const [port] = event.ports;
    if (port && isOwnPage(event.senderFrame)) converse(service, port);
    else port?.close();
  });
}

function converse(service: Service, port: MessagePortMain): void {
  let open = true;
  const send = (frame: unknown) => {
    if (open) port.postMessage(frame);
  };
  const endEvents = forwardEvents(service, send);
  port.on('message', async ({ data }) => send(await answer(service, data)));
  port.on('close', () => {
    open = false;
    endEvents();
  });
  port.start();
}
