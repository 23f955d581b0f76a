/** The bounds of the runner. */
export const RUNNER_LIMITS = {
  /** The bytes of a line that a program's reader gets. Of longer ones, it gets the beginning. */
  lineBytes: 4 * 1024 * 1024,
  /** The bytes that it gets of a longer line. */
  beginningBytes: 16 * 1024,
  /** The characters of one thing that is printed as progress. */
  progress: 4_000,
  /** The bytes of the standard error that are passed on. */
  errorBytes: 512 * 1024,
  /** The characters of both outputs that are retained for the report. */
  tail: 8_000,
  /** The milliseconds between SIGTERM and SIGKILL. */
  grace: 5_000,
  /** The bytes of a program's output. One that prints more is ended. */
  outputBytes: 2 * 1024 * 1024 * 1024,
  /** The milliseconds between two looks for more output. */
  poll: 50,
  /** The milliseconds for the rest of the standard error after the program's end: a process that cannot be found may hold its pipes open. */
  drain: 10_000,
  /** The bytes of a conversation that is kept on the mount. */
  conversationBytes: 256 * 1024 * 1024,
  /** The milliseconds in which a program must print its version. */
  version: 20_000,
  /** The milliseconds in which a program must find out whether it could begin. */
  trial: 60_000,
  /** The bytes of a prompt in an invocation, or on the standard input. */
  promptBytes: 1024 * 1024,
  /** The bytes of the instructions of an invocation. With those of the definition, they fit into one argument of a program: 128 KiB. */
  instructionsBytes: 64 * 1024,
  /** The bytes of an invocation's body. */
  bodyBytes: 4 * 1024 * 1024,
  /** The bytes of progress that wait for a slow client of an invocation. More is left out. */
  backlogBytes: 1024 * 1024,
  /** The milliseconds between two signs of life in a stream: what is between client and session ends silent connections. */
  keepAlive: 20_000,
} as const;
