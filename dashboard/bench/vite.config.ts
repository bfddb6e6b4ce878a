import { defineConfig } from 'vite'

/** One script that sets `charts`: { viewOf, draw }. */
export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  logLevel: 'error',
  build: { lib: { entry: new URL('charts.tsx', import.meta.url).pathname, name: 'charts', formats: ['iife'], fileName: () => 'charts.js' } },
})
