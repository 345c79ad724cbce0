import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Where a test loads ONNX Runtime by itself, nothing leaves the machine either.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    // Tests wait for processes and pages as much as they compute: three fill two processors.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default', './test/report.ts'],
  },
});
