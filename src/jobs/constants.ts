/**
 * Names and limits that the constructs, the handler, the state machines and the tests share.
 */

/** Operations of the driver. */
export const OPERATIONS = { INVOKE: 'invoke', RUN: 'run', STOP: 'stop' } as const;

/** The outcome of a command. Only `PASSED` means that it ran to its end and exited with 0. */
export const VERDICTS = {
  /** Exit code 0. */
  PASSED: 'PASSED',
  /** Another exit code, or a fail-fast pattern matched. */
  FAILED: 'FAILED',
  /** The command took longer than its timeout and was terminated, with its child processes. */
  TIMED_OUT: 'TIMED_OUT',
  /** Exit code 126 or 127, or no such working directory: the image lacks what the command needs. */
  INERT: 'INERT',
  /** The outcome is unknown: the microVM or the workspace was replaced while it ran. */
  LOST: 'LOST',
  /** The service failed before a verdict was known. Never in a result: it is an error by name, and counted as this. */
  PLATFORM: 'PLATFORM',
} as const;

/** States of a job: `ENDED` has a verdict. */
export const STATUSES = { RUNNING: 'RUNNING', ENDED: 'ENDED' } as const;

/** Reasons for the verdict `LOST`. */
export const LOST_REASONS = {
  /** The microVM was replaced in mid-job. Running it again, under another name, is safe. */
  MICROVM: 'MICROVM',
  /** The process that watched the command is gone, with the command's end. */
  SUPERVISOR: 'SUPERVISOR',
  /** The call that made the job died before it started the command. The command never ran. */
  UNSTARTED: 'UNSTARTED',
  /** The job does not exist: it never started, or its records were wiped. */
  ABSENT: 'ABSENT',
  /** The workspace is not the one that the run began in. */
  WORKSPACE: 'WORKSPACE',
} as const;

/**
 * Errors that the driver throws, by the name that Step Functions sees. All are infrastructure: they say nothing about the
 * command or the agent's work.
 */
export const ERRORS = {
  /** 429, or no capacity for another session (402). Nothing was started. Retried. */
  THROTTLED: 'Workbench.Throttled',
  /** 409: the session is being started or stopped. Nothing was started. Retried. */
  CONFLICT: 'Workbench.Conflict',
  /** The service failed (5xx, exit code -1). Retried: a job is attached to, an invoke had not begun to answer. */
  SERVER: 'Workbench.ServerError',
  /** The connection broke, or the stream ended without saying how. Retried for jobs, never for an invoke. */
  STREAM_CUT: 'Workbench.StreamCut',
  /** The request is wrong (400), or was refused before it was sent. Not retried. */
  VALIDATION: 'Workbench.Validation',
  /** 401, 403. Not retried. */
  ACCESS_DENIED: 'Workbench.AccessDenied',
  /** No such runtime or endpoint (404). Not retried. */
  NOT_FOUND: 'Workbench.NotFound',
  /**
   * The container failed: it did not start, did not mount, or answered with 4xx or 5xx (424). Waited out by a command in a session that has
   * not answered yet; else not retried.
   */
  CONTAINER: 'Workbench.ContainerError',
  /** The session answers, three times in a row, and never with a record of the job: its shell or its programs are not what they were. Not retried. */
  BROKEN: 'Workbench.SessionBroken',
  /** The container of a session that may be new did not start in time, so that the agent has not begun (424 of an invoke). Retried. */
  STARTING: 'Workbench.SessionStarting',
  /** The agent answered, and says that its turn failed, such as for an error of its model. Not retried. */
  AGENT: 'Workbench.AgentFailed',
  /** The agent did not end within the timeout. Not retried: it may still be running. */
  INVOKE_TIMEOUT: 'Workbench.InvokeTimedOut',
} as const;

/** Errors of the function itself, as Step Functions names them. "Error handling in Step Functions", "Handling Lambda errors". */
export const LAMBDA_ERRORS = {
  /** It was not called. */
  THROTTLED: ['Lambda.TooManyRequestsException'],
  /** It may have been called. */
  SERVICE: ['Lambda.ClientExecutionTimeoutException', 'Lambda.ServiceException', 'Lambda.AWSLambdaException', 'Lambda.SdkClientException'],
  /** It was called and did not finish: out of memory, out of time, crashed. */
  DIED: ['Lambda.Unknown', 'Sandbox.Timedout', 'Runtime.ExitError', 'Runtime.OutOfMemory', 'States.Timeout'],
} as const;

/**
 * A task that was not done in time, or whose heartbeat was missed: AWS throws the first for both, as recorded there; the second is what its
 * documentation has for the latter.
 */
export const TIMEOUT_ERRORS = ['States.Timeout', 'States.HeartbeatTimeout'] as const;

/** Limits, with where they come from. */
export const LIMITS = {
  /** The maximum size of a command as it is sent, in bytes. InvokeAgentRuntimeCommand, "Amazon Bedrock AgentCore quotas". */
  execCommandBytes: 65_536,
  /** The maximum size of a user's command, in bytes: together with the job protocol, it fits the service's limit in any quoting. */
  commandBytes: 32_768,
  /** The maximum duration of one InvokeAgentRuntimeCommand call, in seconds. InvokeAgentRuntimeCommand API reference. */
  execSeconds: 3_600,
  /** The time in which a new session may fail to start, in seconds: two minutes were observed. */
  beginningSeconds: 180,
  /** The maximum lifetime of a session, in seconds: `maxLifetime` of a microVM. AgentCore developer guide, "lifecycle settings". */
  sessionSeconds: 28_800,
  /** The timeout of the driver, in seconds: Lambda's maximum. */
  functionSeconds: 900,
  /** The part of it that the driver reserves to end in order, in seconds. */
  functionMarginSeconds: 20,
  /** The length of a session id, in characters: requests may have 256, but the service's model of replies allows 100. */
  sessionId: { min: 33, max: 100 },
  /** The size of an output's tail in a state, in bytes: JSON may need six bytes for one, and a state holds 256 KiB. */
  tailBytes: { min: 0, default: 8_192, max: 24_576 },
  /** The size of a log in the workspace, in bytes: of a longer one, the first and the newest parts are kept. */
  logBytes: { min: 65_536, default: 33_554_432, max: 268_435_456 },
  /** The maximum size of an agent's reply in a state, in bytes. */
  replyBytes: 131_072,
} as const;

/** Environment of the driver's function. */
export const ENVIRONMENT = {
  /** Seconds between two looks at a failing service start here; tests set it to 0. */
  BACKOFF_SECONDS: 'WORKBENCH_BACKOFF_SECONDS',
} as const;

/** CloudWatch metrics of the driver, in the embedded metric format. */
export const METRICS = {
  namespace: 'AgentCoreWorkbench',
  /** Powertools puts it into every metric, as the dimension below. */
  service: 'session-driver',
  dimensions: { SERVICE: 'service', VERDICT: 'Verdict', RUNTIME: 'RuntimeId' },
  names: {
    /** Jobs that came to an end, by verdict. */
    JOBS: 'Jobs',
    /** Seconds from a job's begin to its end. */
    JOB_SECONDS: 'JobSeconds',
    /** Calls that attached to a job again, after the first. */
    ATTACHES: 'Attaches',
    /** Bytes of output that a job wrote. */
    OUTPUT_BYTES: 'OutputBytes',
    /** Requests to sessions of a runtime that the service throttled, by runtime. */
    THROTTLES: 'Throttles',
  },
} as const;

/** The driver's log message for each call that failed and is repeated, with `error` and `reason`. A rehearsal's story reads it. */
export const RETRY_LOG = 'attaching again';

/** Folder of the workspace for our own records. */
export const RECORDS_FOLDER = '.workbench';

/** Folder of the workspace with a directory for each job. */
export const JOBS_FOLDER = `${RECORDS_FOLDER}/jobs`;
