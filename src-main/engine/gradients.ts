/**
 * Registers tf.js's gradients. tfjs-core's Node bundle has none; its module build has them, but imports its own files
 * without extensions, which Node does not resolve by itself. Both builds share one engine and one registry through globals.
 */
import { registerHooks } from 'node:module';
// First, so that the shared engine is the Node build's, with its tensor class.
import '@tensorflow/tfjs-core';

const hooks = registerHooks({
  resolve(specifier, context, next) {
    const fromCore = context.parentURL?.includes('/@tensorflow/tfjs-core/dist/') ?? false;
    if (!fromCore || !specifier.startsWith('.')) return next(specifier, context);
    const resolved = next(specifier.endsWith('.js') ? specifier : `${specifier}.js`, context);
    return { ...resolved, format: 'module' };
  },
});
await import('@tensorflow/tfjs-core/dist/register_all_gradients.js');
hooks.deregister();
