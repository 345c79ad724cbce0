import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));

export default defineConfig({
  root: here,
  // Relative, because the same files are served under http://127.0.0.1 and under cotune://app.
  base: './',
  plugins: [svelte({ configFile: fileURLToPath(new URL('svelte.config.js', import.meta.url)) })],
  build: {
    outDir: fileURLToPath(new URL('../dist/renderer', import.meta.url)),
    emptyOutDir: true,
    target: 'es2023',
    license: { fileName: 'licenses.md' },
    // The hosts' content security policy allows no inline script, and Chromium needs no polyfill.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
});
