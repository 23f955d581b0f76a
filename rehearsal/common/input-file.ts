import { existsSync } from 'node:fs';
import { jsonIn } from './arguments';
import { nearFile } from './did-you-mean';
import type { Faults } from './misuse';

/** Returns the input of a run that a file has. Undefined if it cannot be read: the reason is added to the faults. */
export function inputOfFile(file: string, faults: Faults): { readonly [field: string]: unknown } | undefined {
  try {
    const input: unknown = jsonIn(file);
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as { readonly [field: string]: unknown };
    faults.add(`--input ${file} must be a JSON object, such as { "prompt": "what the agent has to do" }`);
  } catch (error) {
    faults.add(`--input ${file}${existsSync(file) ? ` is not valid JSON: ${(error as Error).message}` : `: there is no such file${nearFile(file)}`}`);
  }
  return undefined;
}
