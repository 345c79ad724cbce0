const systemEntries = /^(__macosx|thumbs\.db|desktop\.ini|@eadir|\$recycle\.bin|system volume information)$/i;
/** Hidden folders of tools, which may well hold copies of images. */
const toolFolders =
  /^\.(.*(cache|thumb|checkpoint|trash|backup|snapshot|recycle|tmp|temp).*|git|svn|hg|dvc|idea|vscode|apple.*|ds_store|spotlight.*|fseventsd|documentrevisions.*|picasaoriginals|dtrash|comments|stversions|stfolder|sync.*|@.*|venv|env|old|local|config|zfs)$/i;

/** Whether a folder is looked into, by its name: not those of systems and tools. */
export const isCountedFolder = (name: string): boolean =>
  !systemEntries.test(name) && !toolFolders.test(name);

/** Whether a file is looked at, by its name: not those of systems, nor hidden ones. */
export const isCountedFile = (name: string): boolean => !name.startsWith('.') && !systemEntries.test(name);
