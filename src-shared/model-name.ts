/** What a network is called that is given no name: its file without what says the format; its folder, where config.json stands for that. */
export const modelNameOf = (path: string): string =>
  path
    .replace(/([\\/]config\.json)?[\\/]*$/i, '')
    .replace(/^.*[\\/]/, '')
    .replace(/\.(safetensors|pth|pt|th|bin|tar|onnx)$/i, '');
