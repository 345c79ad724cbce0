/** The desktop shell: one window on the service. Everything else is the service's. */
import { join, resolve } from 'node:path';
import { app, dialog, Menu, protocol, session } from 'electron';
import { toErrorValue } from '../../../src-shared/errors.ts';
import { openService, type Service } from '../../service/service.ts';
import { defaultHome } from '../default-home.ts';
import { answerRequest, scheme } from './app-protocol.ts';
import { liveInBackground } from './background.ts';
import { guardContents, guardSession } from './guards.ts';
import { servePorts } from './port.ts';
import { spawnUtilityReader, spawnUtilityTrainer } from './utility-processes.ts';
import { serveDialogs, showWindow } from './window.ts';

const home = resolve(app.commandLine.getSwitchValue('home') || defaultHome);
// One instance per data folder: Electron keeps its lock where it keeps its own files.
app.setPath('userData', join(home, 'electron'));
protocol.registerSchemesAsPrivileged([
  { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
]);
app.enableSandbox();
guardContents();

const show = () => showWindow(home);

async function start(): Promise<void> {
  await app.whenReady();
  let service: Service;
  try {
    service = await openService({ home, spawnTrainer: spawnUtilityTrainer, spawnReader: spawnUtilityReader });
  } catch (error) {
    const { message, hint } = toErrorValue(error);
    dialog.showErrorBox('Cotuning Studio cannot start', `${message}\n${hint}`);
    app.exit(1);
    return;
  }
  guardSession(session.defaultSession);
  protocol.handle(scheme, (request) => answerRequest(request, service));
  servePorts(service);
  serveDialogs();
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      ...(process.platform === 'darwin' ? [{ role: 'appMenu' as const }] : []),
      { role: 'fileMenu' },
      { role: 'editMenu' },
      {
        label: 'View',
        submenu: [
          { role: 'resetZoom' },
          { role: 'zoomIn' },
          { role: 'zoomOut' },
          { type: 'separator' },
          { role: 'togglefullscreen' },
          ...(app.isPackaged ? [] : [{ role: 'toggleDevTools' as const }]),
        ],
      },
      { role: 'windowMenu' },
    ]),
  );
  liveInBackground(service, show);
  app.on('activate', show);
  app.on('second-instance', show);
  endWith(service);
  show();
}

/** Quitting waits for the service: a run that is going on writes a checkpoint and goes back into the queue. */
function endWith(service: Service): void {
  let closed = false;
  app.on('will-quit', (event) => {
    if (closed) return;
    event.preventDefault();
    closed = true;
    service
      .close()
      .catch((error) => console.error(error))
      .finally(() => app.exit());
  });
}

if (app.requestSingleInstanceLock()) void start();
else app.quit();
