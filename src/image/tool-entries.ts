import { NPM_PREFIX, RUNTIME_PATHS } from './constants';
import { expectedOfMise, expectedOfNpm, expectedOfPip } from './expected-version';
import { type OsTool, RUNTIME_LIBRARIES, osToolForPackage } from './os-packages';
import { quote, slug } from './shell';
import type { ToolEntry } from './tool-entry';
import { isFloating, isFullNpmVersion, isPipVersion } from './versions';

export function osEntry(tool: OsTool): ToolEntry {
  return {
    name: tool.name,
    install: { kind: 'os', packages: tool.packages, commands: tool.commands },
    verify: tool.verify ?? `${tool.commands[0]} --version`,
  };
}

/** A package by its name, which is translated if it is in our table. */
export function packageEntry(name: string): ToolEntry {
  const known = osToolForPackage(name);
  return known ? osEntry(known) : { name, install: { kind: 'os', packages: { apt: [name], dnf: [name], apk: [name] }, commands: [] } };
}

/** A tool of mise. Without a command that shows its version, all that is asked is that mise installed some command. */
export function miseEntry(tool: string, version: string, verify?: string): ToolEntry {
  const floating = isFloating(tool, version);
  return {
    name: tool,
    install: { kind: 'mise', tool, version },
    verify: verify ?? `ls -L ${quote(`${RUNTIME_PATHS}/${slug(tool)}`)} | grep .`,
    expect: floating || verify === undefined ? undefined : expectedOfMise(tool, version),
    libraries: RUNTIME_LIBRARIES[tool],
    ...floatingVersion(floating, version),
  };
}

export function npmEntry(name: string, version: string): ToolEntry {
  const floating = !isFullNpmVersion(version);
  return {
    name: `npm:${name}`,
    install: { kind: 'npm', package: name, version },
    verify: `node -p ${quote(`require("${NPM_PREFIX}/lib/node_modules/${name}/package.json").version`)}`,
    expect: floating ? undefined : expectedOfNpm(version),
    ...floatingVersion(floating, version),
  };
}

export function pipEntry(name: string, version: string): ToolEntry {
  const floating = !isPipVersion(version);
  return {
    name: `pip:${name}`,
    install: { kind: 'pip', package: name, version },
    verify: `python3 -m pip show ${quote(name)} | sed -n 's/^Version: //p' | grep .`,
    expect: floating ? undefined : expectedOfPip(version),
    ...floatingVersion(floating, version),
  };
}

export function customEntry(name: string, install: string, verify: string): ToolEntry {
  return { name, install: { kind: 'custom', command: install }, verify };
}

function floatingVersion(floating: boolean, version: string): { floating?: string } {
  return floating ? { floating: version } : {};
}
