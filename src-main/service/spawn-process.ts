/** How a process of the service's ended. */
export interface ProcessExit {
  code: number | null;
  /** Signal name where one ended it, e.g. SIGKILL. */
  signal: string | null;
  /** The end of what it wrote to stderr since its last piece of work began, at most a few kilobytes. */
  stderr: string;
}

/** A process that works for the service, as the service sees it, whatever spawned it. */
export interface ServiceProcess<To, From> {
  /** Undefined until the system has made the process. */
  readonly pid: number | undefined;
  send(message: To): void;
  onMessage(listener: (message: From) => void): void;
  /** Called once; also where the process could not be started. */
  onExit(listener: (exit: ProcessExit) => void): void;
  /** Ends it at once (SIGKILL). */
  kill(): void;
}
