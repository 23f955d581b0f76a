/** Writes docs/decisions/README.md: the list of the decisions by title. Their numbers must have no gaps. */
import { readdirSync, readFileSync, writeFileSync } from 'fs';
import { join } from 'path';

const FOLDER = join(__dirname, '../docs/decisions');
const INTRODUCTION = `# Decisions

Each record explains one choice that somebody might otherwise undo: what was decided, why, and what it costs. Records are half a page long, numbered without gaps, and never
deleted: a later record names the one that it replaces. To add one, take the next number and run \`npx projen docs:decisions\`, which writes this list.
`;

const entries = readdirSync(FOLDER).filter((file) => file !== 'README.md').sort().map((file, index) => {
  const number = String(index + 1).padStart(4, '0');
  const title = new RegExp(`^# ${number}: (.+)$`, 'm').exec(readFileSync(join(FOLDER, file), 'utf8').split('\n')[0])?.[1];
  if (!file.startsWith(`${number}-`) || title === undefined) throw new Error(`${file} must be "${number}-…" and begin with "# ${number}: …"`);
  return `- [${number}](${file}): ${title}`;
});
writeFileSync(join(FOLDER, 'README.md'), `${INTRODUCTION}\n${entries.join('\n')}\n`);
