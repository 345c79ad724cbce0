import type { EngineChoice, Precision } from '../../src-shared/domain.ts';
import type { Engine } from '../engine/engine.ts';

/** What decides which engine a run gets. */
interface EngineRequest {
  engine: EngineChoice;
  precision: Precision;
  cacheFolder: string;
}

export type KeptEngine = ReturnType<typeof keepEngine>;

/** The engine of one run after another, with the training step that it keeps: opened anew where a run asks for another. */
export function keepEngine() {
  let opened: { key: string; engine: Engine } | undefined;

  async function dispose(): Promise<void> {
    const old = opened;
    opened = undefined;
    await old?.engine.dispose();
  }

  return {
    /** Opens an engine, or hands out the open one. It stays the keeper's to dispose of. Errors: as `openEngine`. */
    async open({ engine: choice, precision, cacheFolder }: EngineRequest): Promise<Engine> {
      const key = JSON.stringify([choice, precision, cacheFolder]);
      if (opened?.key === key) return opened.engine;
      await dispose();
      // Loaded here, not above: a trainer that runs no network need not wait for it.
      const { openEngine } = await import('../engine/open.ts');
      const engine = await openEngine(choice, { precision, cacheFolder });
      opened = { key, engine };
      return engine;
    },
    dispose,
  };
}
