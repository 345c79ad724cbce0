// The layers of docs/architecture.md, enforced: an import that crosses one the wrong way fails `npm test`.
const only = (name, comment, to, from) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    only('no-circular', 'A cycle hides which part depends on which.', { circular: true }, {}),
    only('not-resolvable', 'Every import resolves.', { couldNotResolve: true, pathNot: '^@tensorflow/tfjs-node' }, {}),
    only('shared-is-pure', 'src-shared has no DOM, Node or Electron.', { pathNot: '^src-shared|node_modules/zod' }, { path: '^src-shared' }),
    only('renderer-sees-shared-only', 'The renderer talks through the contract.', { path: '^src-main' }, { path: '^src-renderer' }),
    only('main-never-sees-renderer', 'The service knows no view.', { path: '^src-renderer' }, { path: '^src-main' }),
    only('electron-in-one-folder', 'Electron stays thin.', { path: 'node_modules/electron/|^electron$' }, { path: '^src-', pathNot: '^src-main/hosts/electron' }),
    only('nothing-imports-the-shell', 'The Electron shell is a leaf.', { path: '^src-main/hosts/electron' }, { path: '^src-', pathNot: '^src-main/hosts/electron' }),
    only('sqlite-in-the-store', 'One place writes SQL.', { path: 'node_modules/better-sqlite3' }, { path: '^src-', pathNot: '^src-main/store' }),
    only('store-is-the-services', 'Only the service uses the store.', { path: '^src-main/store' }, { path: '^src-main', pathNot: '^src-main/(store|service)' }),
    only('trainer-stands-alone', 'The trainer talks by messages; it opens no database.', { path: '^src-main/(store|service|hosts|cli)' }, { path: '^src-main/(trainer|bench|transfer|backbones|engine|data|formats)' }),
    only('reader-stands-alone', 'The reader talks by messages; it opens no database.', { path: '^src-main/(store|service|hosts|cli|trainer|engine|transfer)' }, { path: '^src-main/reader' }),
    only('service-knows-no-host', 'Hosts and the CLI use the service, not the reverse.', { path: '^src-main/(hosts|cli)' }, { path: '^src-main/service' }),
    only('engine-knows-no-model', 'The engine runs programs; it knows no networks, data or methods.', { path: '^src-main/(backbones|transfer|data|trainer|bench)' }, { path: '^src-main/engine' }),
    only('trace-room', 'Tracing records; it neither lowers nor runs.', { path: '^src-main/engine/(lower|run)' }, { path: '^src-main/engine/trace' }),
    only('lower-room', 'Lowering reads the trace; it does not run.', { path: '^src-main/engine/run' }, { path: '^src-main/engine/lower' }),
    only('run-room', 'Running knows graphs, not traces.', { path: '^src-main/engine/(trace|lower)' }, { path: '^src-main/engine/run' }),
    only('onnxruntime-in-the-run-room', 'One room owns the runtime.', { path: 'node_modules/onnxruntime' }, { path: '^src-', pathNot: '^src-main/engine/run' }),
    only('pixels-in-data', 'Images are decoded in one place.', { path: 'node_modules/sharp' }, { path: '^src-', pathNot: '^src-main/(data|sample)' }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'], extensions: ['.ts', '.mjs', '.js', '.svelte', '.json'] },
  },
};
