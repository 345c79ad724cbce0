/** Svelte compiles TypeScript by itself; nothing is preprocessed. */
export default { compilerOptions: { runes: true } };
