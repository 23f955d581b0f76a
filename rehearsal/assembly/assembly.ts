import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { didYouMean, nearFile } from '../common/did-you-mean';
import type { ImageAsset } from '../sandbox';

export interface Resource {
  readonly Type: string;
  readonly Properties?: { readonly [name: string]: unknown };
}

export interface Template {
  readonly Resources?: { readonly [logicalId: string]: Resource };
  readonly Outputs?: { readonly [name: string]: { readonly Value: unknown; readonly Description?: string } };
  readonly Parameters?: { readonly [name: string]: { readonly Default?: unknown } };
}

/** Entries by the paths of constructs; those of the type `aws:cdk:logicalId` say which resource a construct is. */
interface Metadata {
  readonly [path: string]: readonly { readonly type: string; readonly data?: unknown }[];
}

interface Manifest {
  readonly artifacts?: {
    readonly [id: string]: {
      readonly type: string;
      readonly metadata?: Metadata;
      /** Has the metadata, in newer assemblies. */
      readonly additionalMetadataFile?: string;
      readonly properties?: { readonly templateFile?: string; readonly directoryName?: string; readonly stackName?: string };
    };
  };
}

interface ImageSource {
  readonly directory?: string;
  readonly dockerFile?: string;
  readonly dockerBuildArgs?: { readonly [name: string]: string };
  readonly dockerBuildTarget?: string;
}

interface AssetManifest {
  readonly files?: { readonly [hash: string]: { readonly source: { readonly path?: string } } };
  readonly dockerImages?: { readonly [hash: string]: { readonly source: ImageSource } };
}

/** There is no such assembly, or no such stack in it. */
export class AssemblyError extends Error {
  readonly name = 'AssemblyError';
}

/** One stack as it was synthesized: its template, and where its assets are. */
export class SynthesizedStack {
  constructor(
    readonly id: string,
    readonly name: string,
    readonly template: Template,
    private readonly directory: string,
    private readonly assets: AssetManifest,
    private readonly metadata: () => Metadata = () => ({}),
  ) {}

  /** The path of the construct that people know a resource by, such as `Stack/Rollout`; its logical id if the assembly does not say. */
  pathOf(logicalId: string): string {
    const isIt = ({ type, data }: Metadata[string][number]) => type === 'aws:cdk:logicalId' && data === logicalId;
    const [path = logicalId] = Object.entries(this.metadata()).find(([, entries]) => entries.some(isIt)) ?? [];
    return path.replace(/^\//, '').replace(/(?:\/(?:Resource|Default))+$/, '');
  }

  resource(logicalId: string): Resource | undefined {
    return this.template.Resources?.[logicalId];
  }

  /** Logical ids of the resources of a type, in the order of the template. */
  ofType(type: string): string[] {
    return Object.entries(this.template.Resources ?? {}).filter(([, resource]) => resource.Type === type).map(([logicalId]) => logicalId);
  }

  /** The one resource of the type that is called so, or whose logical id begins so; without a name, the only one there is. */
  find(type: string, name = ''): string {
    const all = this.ofType(type);
    const found = all.includes(name) ? [name] : all.filter((logicalId) => logicalId.startsWith(name));
    if (found.length === 1) return found[0];
    throw new Error(`stack ${this.name} has ${found.length === 0 ? 'no' : 'more than one'} ${type}${name && ` whose logical id begins with "${name}"`}, but ${all.join(', ') || 'none at all'}`);
  }

  /** Returns the path of a file asset, by the key of its object in the bucket. */
  assetPath(objectKey: string): string {
    const path = this.assets.files?.[objectKey.replace(/\.[^.]*$/, '')]?.source.path;
    if (path === undefined) throw new Error(`stack ${this.name} has no file asset ${objectKey}`);
    return join(this.directory, path);
  }

  /** Returns the build context of an image by its tag, or `undefined` if the app does not build the image. */
  imageAsset(tag: string): ImageAsset | undefined {
    const source = this.assets.dockerImages?.[tag]?.source;
    if (source?.directory === undefined) return undefined;
    const directory = join(this.directory, source.directory);
    const dockerfile = join(directory, source.dockerFile ?? 'Dockerfile');
    return { tag, directory, dockerfile, buildArgs: source.dockerBuildArgs, target: source.dockerBuildTarget };
  }
}

/** A cloud assembly (`cdk.out`), read from disk, with those nested in it. */
export class Assembly {
  static load(directory: string): Assembly {
    if (!existsSync(directory)) throw new AssemblyError(`there is no directory ${directory}; run "cdk synth" first${nearFile(directory)}`);
    if (!isAssembly(directory)) {
      const inside = join(directory, 'cdk.out');
      throw new AssemblyError(`${directory} is not a cloud assembly: it has no manifest.json; ${isAssembly(inside) ? `did you mean ${inside}?` : 'run "cdk synth" first'}`);
    }
    return new Assembly(directory, stacksIn(directory));
  }

  private constructor(readonly directory: string, readonly stacks: readonly SynthesizedStack[]) {}

  /** A stack by its id in the app or its name; without a name, the only one there is. */
  stack(name?: string): SynthesizedStack {
    const found = this.stacks.filter((stack) => name === undefined || stack.id === name || stack.name === name);
    if (found.length === 1) return found[0];
    if (this.stacks.length === 0) throw new AssemblyError(`${this.directory} has no stack`);
    const what = found.length === 0 ? `no stack "${name}"` : `more than one stack${name === undefined ? '' : ` "${name}"`}`;
    throw new AssemblyError(`${this.directory} has ${what}: name one of ${this.stacks.map(({ id }) => id).join(', ')} with "stack" (--stack)${didYouMean(name ?? '', this.stacks.map(({ id }) => id))}`);
  }
}

function isAssembly(directory: string): boolean {
  return existsSync(join(directory, 'manifest.json'));
}

function stacksIn(directory: string): SynthesizedStack[] {
  const manifest = read<Manifest>(join(directory, 'manifest.json'));
  return Object.entries(manifest.artifacts ?? {}).flatMap(([id, { type, properties, metadata, additionalMetadataFile }]) => {
    if (type === 'cdk:cloud-assembly') return stacksIn(join(directory, properties!.directoryName!));
    if (type !== 'aws:cloudformation:stack') return [];
    const assets = join(directory, `${id}.assets.json`);
    const template = read<Template>(join(directory, properties!.templateFile!));
    return [new SynthesizedStack(id, properties!.stackName ?? id, template, directory, existsSync(assets) ? read<AssetManifest>(assets) : {}, () => ({
      ...metadata,
      ...additionalMetadataFile === undefined ? {} : read<Metadata>(join(directory, additionalMetadataFile)),
    }))];
  });
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}
