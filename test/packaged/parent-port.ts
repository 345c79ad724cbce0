/** Loaded before a program of the app's: the port that Electron gives its utility processes. */
Object.assign(process, {
  parentPort: {
    on: (event: 'message', listener: (event: { data: unknown }) => void) =>
      process.on(event, (data) => listener({ data })),
    postMessage: (message: object) => process.send!(message),
  },
});
// Chromium ends them with the app.
process.on('disconnect', () => process.exit(1));
