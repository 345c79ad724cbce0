import { fileURLToPath } from 'node:url';
import { app, BrowserWindow, Menu, nativeImage, Tray } from 'electron';
import type { Service } from '../../service/service.ts';

const icon = fileURLToPath(new URL('../../../resources/tray.png', import.meta.url));

/**
 * Keeps the app alive without a window while a run is queued or going on, with an icon in the tray to come back by.
 * When the last run has ended and no window is open, the app ends too (macOS: it stays, as apps do there).
 */
export function liveInBackground(service: Service, show: () => void): void {
  let tray: Tray | undefined;

  async function busy(): Promise<boolean> {
    // A closed service refuses: the app is on its way out, and nothing more is to be done here.
    for (const status of ['running', 'queued'] as const) {
      const runs = await service.call('runs.list', { status, limit: 1 }).catch(() => null);
      if (!runs || runs.length > 0) return true;
    }
    return false;
  }

  async function settle(): Promise<void> {
    if (BrowserWindow.getAllWindows().length > 0) {
      tray?.destroy();
      tray = undefined;
    } else if (await busy()) {
      if (BrowserWindow.getAllWindows().length === 0) tray ??= openTray();
    } else if (process.platform !== 'darwin') {
      app.quit();
    }
  }

  function openTray(): Tray {
    const opened = new Tray(nativeImage.createFromPath(icon));
    opened.setToolTip('Cotuning Studio is training');
    opened.setContextMenu(
      Menu.buildFromTemplate([
        { label: 'Open Cotuning Studio', click: show },
        { label: 'Stop training and quit', click: () => app.quit() },
      ]),
    );
    opened.on('click', show);
    return opened;
  }

  app.on('window-all-closed', settle);
  app.on('browser-window-created', settle);
  service.on('run', settle);
}
