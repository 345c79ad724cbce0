import { app, type Session } from 'electron';
import { isAppUrl } from './app-protocol.ts';

/** Denies what the app never does, wherever it is tried: leaving the page, new windows, webviews. */
export function guardContents(): void {
  app.on('web-contents-created', (_, contents) => {
    contents.on('will-navigate', (event) => {
      if (!isAppUrl(event.url)) event.preventDefault();
    });
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
}

/** Denies every permission, and every request that leaves the app: nothing is uploaded, nothing fetched. */
export function guardSession(session: Session): void {
  session.setPermissionRequestHandler((_, __, answer) => answer(false));
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest({ urls: ['<all_urls>'] }, ({ url }, answer) =>
    answer({ cancel: !isAppUrl(url) && !/^(devtools|data|blob):/.test(url) }),
  );
}
