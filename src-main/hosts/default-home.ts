import envPaths from 'env-paths';

/** Where the platform keeps an application's data: the desktop app and the command line share it. */
export const defaultHome: string = envPaths('cotuning-studio', { suffix: '' }).data;
