/** `learningRate`, `learning_rate` → `learning rate`. */
export const settingTitle = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll(/[-_]/g, ' ');
