import { endedBadly } from './failures';
import { Program, ProgramEnd, ProgramResult, Progress } from './program';
import { REPORT_LIMITS } from '../../constants';

/** Any command line. It reads the prompt from its standard input; the end of its output is the summary. */
export const CUSTOM: Program = {
  kept: [],
  faults: ({ command }) => (command === undefined ? ['"command" is missing: give the command line of the agent'] : []),
  start: ({ definition, prompt, instructions, state }) => ({
    file: '/bin/bash',
    // Without this, bash takes a socket as its standard input for a remote login, and reads the user's startup file.
    arguments: ['--norc', '-c', definition.command!, ...(definition.arguments === undefined ? [] : ['bash', ...definition.arguments])],
    environment: { WORKBENCH_STATE: state },
    input: instructions === undefined ? prompt : `${instructions}\n\n${prompt}`,
  }),
  reader: (progress: Progress) => ({
    line: progress,
    longLine: progress,
    end: (ended: ProgramEnd): ProgramResult => ({
      summary: ended.output.trim().slice(-REPORT_LIMITS.summary),
      error: endedBadly(ended),
    }),
  }),
};
