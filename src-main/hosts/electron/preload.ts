/** The page's only way out: a channel to the service, and the system's dialogs for choosing a folder or a file. */
import { contextBridge, ipcRenderer, webUtils } from 'electron';

contextBridge.exposeInMainWorld('cotune', {
  /** Opens a channel; its port arrives as a window message `cotune:port`, for the bridge cannot carry ports. */
  connect(): void {
    const { port1, port2 } = new MessageChannel();
    ipcRenderer.postMessage('cotune:connect', null, [port1]);
    // To this very window, whatever its origin is called.
    window.postMessage('cotune:port', '*', [port2]);
  },
  pickFolder: (): Promise<string | null> => ipcRenderer.invoke('cotune:pick', 'folder'),
  pickFile: (): Promise<string | null> => ipcRenderer.invoke('cotune:pick', 'file'),
  /** Where a dropped file lies. */
  pathOf: (file: File): string => webUtils.getPathForFile(file),
});
