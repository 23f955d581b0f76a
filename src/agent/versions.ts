/** The versions of the programs that are installed unless a user asks for another one. Each is the version that the tests of this release run. */
export const PROGRAM_VERSIONS = {
  'claude-code': '2.1.197',
  'codex': '0.171.0',
  'opencode': '1.18.33',
  'aider': '0.86.2',
  'strands': '1.62.0',
} as const;

/** The version of boto3 beside aider, which signs requests to Amazon Bedrock with it. */
export const AIDER_BOTO3 = '1.44.8';

/** The line of Node.js for the runner, and for the programs that come from npm. */
export const AGENT_NODE = '22';

/** The line of Python for aider and Strands. aider does not support a newer one. */
export const AGENT_PYTHON = '3.12';
