import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { app, BrowserWindow, dialog, ipcMain, screen } from 'electron';
import { appOrigin, isOwnPage } from './app-protocol.ts';
import { placeWindow, readWindowState, writeWindowState } from './window-state.ts';

const preload = fileURLToPath(new URL('./preload.cjs', import.meta.url));

/** Opens the app's window, or brings the one that is open to the front. `home`: where its place is remembered. */
export function showWindow(home: string): void {
  const [present] = BrowserWindow.getAllWindows();
  if (present) {
    if (present.isMinimized()) present.restore();
    present.show();
    present.focus();
    return;
  }
  const statePath = join(home, 'window.json');
  const state = readWindowState(statePath);
  const place = placeWindow(
    state,
    screen.getAllDisplays().map((display) => display.workArea),
  );
  const window = new BrowserWindow({
    ...place,
    minWidth: 720,
    minHeight: 480,
    show: false,
    title: 'Cotuning Studio',
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
      devTools: !app.isPackaged,
    },
  });
  if (state?.maximized) window.maximize();
  window.once('ready-to-show', () => window.show());
  window.on('close', () => {
    writeWindowState(statePath, { bounds: window.getNormalBounds(), maximized: window.isMaximized() });
  });
  window.webContents.on('render-process-gone', (_, { reason }) => {
    if (reason !== 'clean-exit') window.reload();
  });
  void window.loadURL(`${appOrigin}/`);
}

/** The system's dialogs, for the app's own page only. */
export function serveDialogs(): void {
  ipcMain.handle('cotune:pick', async (event, what: unknown) => {
    const window = BrowserWindow.fromWebContents(event.sender);
    if (!window || !isOwnPage(event.senderFrame)) return null;
    const { canceled, filePaths } = await dialog.showOpenDialog(window, {
      properties: [what === 'folder' ? 'openDirectory' : 'openFile'],
    });
    return canceled ? null : filePaths[0];
  });
}
