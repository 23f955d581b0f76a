import { AIDER } from './aider';
import { CLAUDE_CODE } from './claude-code';
import { CODEX } from './codex';
import { CUSTOM } from './custom';
import { OPENCODE } from './opencode';
import { Program } from './program';
import { STRANDS } from './strands';
import { AgentProgram } from '../../constants';

/** The programs that the runner starts, by the name in the definition. */
export const PROGRAMS: { readonly [name in AgentProgram]?: Program } = {
  'claude-code': CLAUDE_CODE,
  'codex': CODEX,
  'opencode': OPENCODE,
  'aider': AIDER,
  'strands': STRANDS,
  'custom': CUSTOM,
};
