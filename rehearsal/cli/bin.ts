#!/usr/bin/env node
import { main } from './main';

/** The reader of the output has exited: `head` has printed its lines, or a terminal was closed. */
const UNHEARD = ['EPIPE', 'EIO'];

// A run goes on to its end without them, and is kept: what it did is worth more than what it would have printed.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (!UNHEARD.includes(error.code ?? '')) throw error;
  });
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
