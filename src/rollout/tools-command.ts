import { MANIFEST_PATH } from '../image/constants';

/** A line for bash that runs what verified each tool of an `AgentImage` in its build. Needs nothing but bash: an image may lack everything else. */
export const TOOLS_COMMAND = `test -r ${MANIFEST_PATH}`;
