import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { copyTree, digestOf } from './copies';

export interface ConversationOptions {
  /** The name of the agent, which is the name of the folder on the mount. */
  readonly name: string;
  /** The name of the program: one cannot continue the conversation of another. */
  readonly program: string;
  /** The paths below the state that are kept. */
  readonly kept: readonly string[];
  /** The task of the conversation. Without one, nothing is continued or kept. */
  readonly taskId?: string;
  /** The clone. Its parent directory is the mount. */
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
    const root = ownDirectory(join(temporary, `workbench-agent-${userInfo().uid}`));
    const folder = taskId === undefined ? `once-${randomBytes(8).toString('hex')}` : shortHash(`${name}\n${taskId}\n${directory}`);
    this.local = join(root, folder);
    this.state = join(this.local, 'state');
    this.copies = taskId === undefined ? undefined : copiesBelow(dirname(directory), name, taskId);
    this.id = this.restore();
    fs.mkdirSync(this.state, { recursive: true, mode: 0o700 });
  }

  /** Keeps the conversation for the next turn, or forgets it if it has no ID. */
  public save(id: string | undefined) {
    if (this.options.taskId === undefined) return fs.rmSync(this.local, { recursive: true, force: true });
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
    fs.rmSync(join(this.local, POINTER), { force: true });
    fs.rmSync(this.state, { recursive: true, force: true });
    fs.mkdirSync(this.state, { recursive: true, mode: 0o700 });
    if (this.copies === undefined) return;
    try {
      fs.rmSync(this.copies, { recursive: true, force: true });
    } catch (error) {
      this.options.warn(`the conversation cannot be removed from the mount: ${(error as Error).message}`);
    }
  }

  private copy(copies: string, pointer: Pointer): Pointer {
    const target = join(copies, pointer.generation);
    copyTree(this.state, target, this.options.kept);
    const complete = { ...pointer, digest: digestOf(target) };
    writePointer(copies, complete);
    for (const old of fs.readdirSync(copies)) {
      if (old !== POINTER && old !== pointer.generation) fs.rmSync(join(copies, old), { recursive: true, force: true });
    }
    return complete;
  }

  /** Returns the ID of the conversation whose state is on ephemeral disk, after it was restored if necessary. */
  private restore(): string | undefined {
    const { program, warn } = this.options;
    const [here, there] = [readPointer(this.local, program), this.copies === undefined ? undefined : readPointer(this.copies, program)];
    const isHere = here !== undefined && fs.existsSync(this.state);
    if (isHere && (there === undefined || there.generation === here.generation)) return here.id;
    fs.rmSync(this.local, { recursive: true, force: true });
    if (there === undefined) return undefined;
    try {
      const copy = join(this.copies!, there.generation);
      if (digestOf(copy) !== there.digest) throw new Error('it is damaged');
      copyTree(copy, this.state);
      writePointer(this.local, there);
      return there.id;
    } catch (error) {
      fs.rmSync(this.local, { recursive: true, force: true });
      warn(`the conversation of the earlier turn cannot be continued, and a new one begins: ${(error as Error).message}`);
      return undefined;
    }
  }
}

/** Returns the directory of the copies; undefined if there is no mount, or one that cannot be written. */
function copiesBelow(mount: string, name: string, taskId: string): string | undefined {
  if (mount === '/') return undefined;
  try {
    fs.accessSync(mount, fs.constants.W_OK);
  } catch {
    return undefined;
  }
  const folder = name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 60) || 'agent';
  return join(mount, '.agent', folder, shortHash(taskId));
}

/** Creates a directory that nobody else can write; another one if somebody was there first. */
function ownDirectory(path: string): string {
  fs.mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = fs.lstatSync(path);
  return found.isDirectory() && found.uid === userInfo().uid ? path : fs.mkdtempSync(`${path}-`);
}

function readPointer(directory: string, program: string): Pointer | undefined {
  try {
    const pointer = JSON.parse(fs.readFileSync(join(directory, POINTER), 'utf8')) as Pointer;
    const isComplete = [pointer.id, pointer.generation, pointer.digest].every((value) => typeof value === 'string');
    return isComplete && /^[0-9a-f]+$/.test(pointer.generation) && pointer.program === program ? pointer : undefined;
  } catch {
    return undefined;
  }
}

function writePointer(directory: string, pointer: Pointer) {
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, POINTER);
  fs.writeFileSync(`${file}.new`, JSON.stringify(pointer), { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
