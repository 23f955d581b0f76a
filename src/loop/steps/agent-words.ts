import type { AgentRecord } from './agent-record';
import { counted } from '../../handler/counted';

/**
 * Puts what an agent says into words for commits, pull requests and comments. An agent may have been steered by what it read, so its text must not
 * do anything there: it cannot name people, refer to issues, close them, skip CI, or be read as a trailer or as a command.
 *
 * A file of its own, which only loops with such an agent load. The same report always becomes the same text: a commit is computed several times.
 */

/** The length of a line, with its quotation mark. */
const WIDTH = 72;

/** The beginning of each line: a line of a quotation is no trailer, footer, comment, divider or command, wherever it is copied to. */
const MARK = '> ';

/** Returns the quotation of a text: at most so many characters, in lines of at most 72. */
export function quoted(text: string, length: number): string {
  const plain = inert(text);
  const short = plain.length <= length ? plain : `${plain.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '').trimEnd()}…`;
  return short.split('\n').flatMap(wrapped).map((line) => `${MARK}${line}`.trimEnd()).join('\n');
}

/** The patterns that forges, CI services and git look for in a text, and what stands in their place. */
const ACTIVE: readonly (readonly [RegExp, string])[] = [
  // Mentions of people and teams.
  [/@(?=\S)/g, '@ '],
  // References to issues, pull requests and others, which notify those who follow them, or close them: #1, !1, &1, GH-1, ABC-1, and URLs.
  [/#(?=[^\s#])/g, '# '],
  [/([!&$%~])(?=[\d"])/g, '$1 '],
  [/\b([Gg][Hh]|[A-Z][A-Z0-9_]+)-(?=\d)/g, '$1\u2011'],
  [/:(?=\/\/)/g, ': '],
  [/\bwww\./gi, 'www '],
  // [skip ci] and the like, and links and images.
  [/\[/g, '('],
  [/\]/g, ')'],
  [/\*{3,}/g, '**'],
  // Directives for releases, wherever they stand.
  [/\+(?=semver)/gi, '+ '],
  [/(BEGIN|END)_(?=[A-Z])/gi, '$1 '],
  // The scissors of git.
  [/(>|<)(?=[8%])/g, '$1 '],
  [/([8%])(?=[<>])/g, '$1 '],
];

/** Returns a text that nothing acts on. */
export function inert(text: string): string {
  const visible = text.replace(/\r\n?|[\v\f\u0085\u2028\u2029]/g, '\n').replace(/\t/g, ' ').replace(/[\p{Cf}\p{Cs}\p{Co}\p{Noncharacter_Code_Point}]|(?!\n)\p{Cc}/gu, '');
  return ACTIVE.reduce((plain, [pattern, instead]) => plain.replace(pattern, instead), visible).replace(/\n{3,}/g, '\n\n').trim();
}

/** Returns the lines of a line, which are broken at spaces where there are any. */
function wrapped(line: string): string[] {
  const width = WIDTH - MARK.length;
  const lines = [''];
  for (const word of line.trim().split(/\s+/).flatMap((each) => [...pieces(each, width)])) {
    const last = lines[lines.length - 1];
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

/** Returns a word in pieces that fit a line, without halves of characters. */
function* pieces(word: string, width: number): Generator<string> {
  let rest = word;
  while (rest.length > width) {
    const piece = rest.slice(0, width).replace(/[\uD800-\uDBFF]$/, '');
    yield piece;
    rest = rest.slice(piece.length);
  }
  yield rest;
}

/** Returns a line such as `claude-code 2.1.197: 12 model calls, 45,000 tokens, 0.31 USD as the program estimates`. */
export function agentInWords(agent: AgentRecord): string {
  return [agentName(agent), numbersOf(agent)].filter((part) => part !== '').join(': ');
}

/** Returns the name and the version of an agent. */
export function agentName({ name = 'the agent', version }: AgentRecord): string {
  return inert([name, version].filter((part) => part !== undefined).join(' ')).replace(/\s+/g, ' ');
}

/** Returns the numbers of an agent; empty if there are none. */
export function numbersOf({ turns, usage, costUsd, unreported }: AgentRecord): string {
  return [
    ...turns === undefined ? [] : [counted(turns, 'model call')],
    ...usage === undefined ? [] : [tokensOf(usage)],
    ...costUsd === undefined ? [] : [`${costUsd >= 0.1 || costUsd === 0 ? costUsd.toFixed(2) : costUsd.toFixed(4)} USD as the program estimates`],
    ...unreported === undefined ? [] : [`without ${counted(unreported.turns, 'turn')} of the loop (${unreported.reason})`],
  ].join(', ');
}

function tokensOf({ inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 }: NonNullable<AgentRecord['usage']>): string {
  const all = counted(inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens, 'token');
  return cacheReadTokens === 0 ? all : `${all} (${cacheReadTokens.toLocaleString('en-US')} of them from the cache)`;
}
