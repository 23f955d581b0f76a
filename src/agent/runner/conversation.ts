import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { copyTree, digestOf, removeTree } from './copies';
import { ownDirectory } from './home';

export interface ConversationOptions {
  /** The name of the agent, which is the name of the folder on the mount. */
  readonly name: string;
  /** The name of the program: one cannot continue the conversation of another. */
  readonly program: string;
  /** The paths below the state that are kept. */
  readonly kept: readonly string[];
  /** The task of the conversation. Without one, nothing is continued or kept. */
  readonly taskId?: string;
  /** The current directory of the turn: the clone, or a directory in it. The parent directory of the clone is the mount. */
  readonly directory: string;
  /** The directory for ephemeral state. @default - the one for temporary files */
  readonly temporary?: string;
  readonly warn: (text: string) => void;
}

/** The record of a conversation that is kept. */
interface Pointer {
  readonly program: string;
  readonly id: string;
  /** The directory of the copy. Each save makes a new one, so that the pointer never names half a copy. */
  readonly generation: string;
  readonly digest: string;
}

const POINTER = 'current.json';

/** The bytes of a record. What is larger is none. */
const POINTER_BYTES = 64 * 1024;

/**
 * The state of a program between the turns of one task: on ephemeral disk while the program works, since mounts may lack the file locks that its
 * database needs, and copied to `<mount>/.agent/<name>/` at the end of a turn, since ephemeral disk is lost with the microVM.
 *
 * A conversation that is lost or damaged is no reason to fail: the prompt of a repair has all that a new one needs.
 */
export class Conversation {
  /** The directory for the program's state. */
  public readonly state: string;
  /** The ID of the conversation to continue. */
  public readonly id?: string;
  private readonly local: string;
  private readonly copies?: string;

  constructor(private readonly options: ConversationOptions) {
    const { name, taskId, directory, temporary = tmpdir() } = options;
    const root = ownDirectory(temporary);
    const folder = taskId === undefined ? `once-${randomBytes(8).toString('hex')}` : shortHash(`${name}\n${taskId}\n${directory}`);
    this.local = join(root, folder);
    this.state = join(this.local, 'state');
    this.copies = taskId === undefined ? undefined : copiesBelow(directory, name, taskId);
    this.id = this.restore();
    fs.mkdirSync(this.state, { recursive: true, mode: 0o700 });
  }

  /** Keeps the conversation for the next turn, or forgets it if it has no ID. A turn that did its work does not fail for it. */
  public save(id: string | undefined) {
    try {
      this.keep(id);
    } catch (error) {
      this.options.warn(`the conversation is not kept: ${(error as Error).message}`);
    }
  }

  private keep(id: string | undefined) {
    if (this.options.taskId === undefined) return removeTree(this.local);
    if (id === undefined) return this.forget();
    const generation = randomBytes(8).toString('hex');
    let pointer: Pointer = { program: this.options.program, id, generation, digest: '' };
    try {
      if (this.copies !== undefined) pointer = this.copy(this.copies, pointer);
    } catch (error) {
      this.options.warn(`the conversation is not kept on the mount: ${(error as Error).message}`);
    }
    writePointer(this.local, pointer);
  }

  /** Removes all that is known of the conversation, so that the next turn begins a new one. */
  public forget() {
    removeTree(join(this.local, POINTER));
    removeTree(this.state);
    fs.mkdirSync(this.state, { recursive: true, mode: 0o700 });
    if (this.copies === undefined) return;
    try {
      removeTree(this.copies);
    } catch (error) {
      this.options.warn(`the conversation cannot be removed from the mount: ${(error as Error).message}`);
    }
  }

  private copy(copies: string, pointer: Pointer): Pointer {
    const target = join(copies, pointer.generation);
    const complete = this.complete(target, copies, pointer);
    for (const old of fs.readdirSync(copies)) {
      if (old !== POINTER && old !== pointer.generation) removeTree(join(copies, old));
    }
    return complete;
  }

  private complete(target: string, copies: string, pointer: Pointer): Pointer {
    try {
      copyTree(this.state, target, this.options.kept);
      const complete = { ...pointer, digest: digestOf(target) };
      writePointer(copies, complete);
      return complete;
    } catch (error) {
      // Half a copy would take the space that a full mount lacks.
      removeTree(target);
      throw error;
    }
  }

  /** Returns the ID of the conversation whose state is on ephemeral disk, after it was restored if necessary. */
  private restore(): string | undefined {
    const { program, warn } = this.options;
    const [here, there] = [readPointer(this.local, program), this.copies === undefined ? undefined : readPointer(this.copies, program)];
    const isHere = here !== undefined && fs.existsSync(this.state);
    if (isHere && (there === undefined || there.generation === here.generation)) return here.id;
    removeTree(this.local);
    if (there === undefined) return undefined;
    try {
      const copy = join(this.copies!, there.generation);
      if (digestOf(copy) !== there.digest) throw new Error('it is damaged');
      copyTree(copy, this.state);
      writePointer(this.local, there);
      return there.id;
    } catch (error) {
      removeTree(this.local);
      warn(`the conversation of the earlier turn cannot be continued, and a new one begins: ${(error as Error).message}`);
      return undefined;
    }
  }
}

/** Returns the directory of the copies; undefined if there is no mount, or one that cannot be written. */
function copiesBelow(directory: string, name: string, taskId: string): string | undefined {
  // In the clone, the copies would be part of the change.
  const mount = dirname(cloneAround(directory) ?? resolve(directory));
  if (mount === '/') return undefined;
  try {
    fs.accessSync(mount, fs.constants.W_OK);
  } catch {
    return undefined;
  }
  const folder = name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 60) || 'agent';
  const [all, ofAgent] = [join(mount, '.agent'), join(mount, '.agent', folder)];
  const copies = join(ofAgent, shortHash(taskId));
  // A symbolic link could point to files of others, which saving would replace and remove.
  return [all, ofAgent, copies].every(isDirectoryOrNothing) ? copies : undefined;
}

/** Returns the directory of the repository that a directory is in. */
function cloneAround(directory: string): string | undefined {
  for (let at = resolve(directory); ; at = dirname(at)) {
    if (fs.existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return undefined;
  }
}

function isDirectoryOrNothing(path: string): boolean {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? true;
  } catch {
    return false;
  }
}

function readPointer(directory: string, program: string): Pointer | undefined {
  const file = join(directory, POINTER);
  try {
    // A pipe in its place would be read without an end.
    const found = fs.lstatSync(file);
    if (!found.isFile() || found.size > POINTER_BYTES) return undefined;
    const pointer = JSON.parse(fs.readFileSync(file, 'utf8')) as Pointer;
    const isComplete = [pointer.id, pointer.generation, pointer.digest].every((value) => typeof value === 'string');
    // The ID becomes an argument, or part of the name of a file.
    const isId = isComplete && /^[A-Za-z0-9_][A-Za-z0-9_-]{0,199}$/.test(pointer.id);
    return isId && /^[0-9a-f]+$/.test(pointer.generation) && pointer.program === program ? pointer : undefined;
  } catch {
    return undefined;
  }
}

function writePointer(directory: string, pointer: Pointer) {
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, POINTER);
  for (const path of [file, `${file}.new`]) {
    if (!(fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? true)) removeTree(path);
  }
  fs.writeFileSync(`${file}.new`, JSON.stringify(pointer), { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
