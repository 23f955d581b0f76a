/**
 * What a well-meaning agent leaves. Each script leaves something at its own path, $P; the gate needs what the lines of `needs.txt` name: paths,
 * variables of git's configuration (`config:`), and files that have changed (`changed:`). The bootstrap installs what `deps.txt` declares.
 */
export const ACCIDENTS = {
  ignored: 'mkdir -p lib; echo x > "lib/$P.js"; need "lib/$P.js"',
  ignoredAtOnce: 'echo x > "$P.secret"; need "$P.secret"',
  forced: 'mkdir -p lib; echo x > "lib/$P.js"; git add -f "lib/$P.js"; need "lib/$P.js"',
  empty: 'mkdir -p "$P/a b"; need "$P/a b"',
  linkToTemporary: 'echo x > "/tmp/$P"; ln -sfn "/tmp/$P" "$P"; need "$P"',
  linkUpwards: 'echo x > "../$P"; ln -sfn "../$P" "$P"; need "$P"',
  linkWithin: 'mkdir -p d; echo x > d/x; ln -sfn "d/x" "$P"; need "$P"',
  worktree: 'git worktree add -q -f "trees/$P" -b "$P" && need "trees/$P/test.sh"',
  repository: 'mkdir -p "$P/n"; git init -q "$P"; echo x > "$P/n/x"; need "$P/n/x"',
  repositoryWithCommit: 'git init -q "$P"; echo x > "$P/x"; git -C "$P" add x; git -C "$P" -c user.name=a -c user.email=a@localhost commit -qm x; need "$P/x"',
  excluded: 'echo "$P" >> .git/info/exclude; echo x > "$P"; need "$P"',
  tool: 'echo x > .aider.chat.history.md; need .aider.chat.history.md',
  oddName: 'mkdir -p "$(printf "%s\\ntree x" "$P")"; echo x > "$(printf "%s\\ntree x/y" "$P")"',
  lineEnds: 'printf "a\\r\\n" > "$P.txt"; printf "* text\\n" >> .gitattributes; need "$P.txt"',
  sparse: 'git sparse-checkout set --no-cone /value.txt; need keep/me',
  skipped: 'git update-index --skip-worktree value.txt keep/me; echo "$P" > keep/me; need keep/me',
  assumed: 'git update-index --assume-unchanged value.txt keep/me; rm -f keep/me; mkdir -p keep; echo "$P" > keep/me; need keep/me',
  commits: 'git add -A; git commit -qm mine',
  late: '(until [ -e "/tmp/gate-$P" ]; do sleep 0.02; done; echo x > "$P"; touch "/tmp/done-$P") >/dev/null 2>&1 </dev/null & touch "/tmp/wait-$P"; need "$P"',
  pushes: 'echo wrong > value.txt; git commit -qam red; git push -qf "$(git config remote.origin.url)" "HEAD:refs/heads/workbench/$TASK"; echo right > value.txt',
  submodule: 'git -c protocol.file.allow=always submodule --quiet add "$(git config remote.origin.url)" "sub-$P"; need .gitmodules',
  inSubmodule: 'git -c protocol.file.allow=always submodule --quiet add "$(git config remote.origin.url)" "in-$P"; echo x > "in-$P/new"; need "in-$P/new"',
  refusedName: 'mkdir -p .GIT; echo x > ".GIT/$P"; need ".GIT/$P"',
  built: 'mkdir -p dist node_modules; touch dist/x.js node_modules/x debug.log',
  installed: 'echo x > "deps/base.d/$P"; need "deps/base.d/$P"',
  declared: 'echo "$P" >> deps.txt',
} as const;

/** Those that pass the gate of the agent's workspace, where a loop without a verification commits them. */
export const ONLY_IN_WORKSPACE = {
  temporary: 'echo x > "/tmp/outside-$P"; need "/tmp/outside-$P"',
  besideClone: 'echo x > "../outside-$P"; need "../outside-$P"',
  onMount: 'echo x > "/mnt/workspace/$P"; need "/mnt/workspace/$P"',
  atHome: 'echo x > ~/".outside-$P"; need "$(echo ~)/.outside-$P"',
  inSystem: 'echo x > "/usr/local/bin/outside-$P"; need "/usr/local/bin/outside-$P"',
  configured: 'git config "outside.$P" yes; need "config:outside.$P"',
  patched: 'echo changed > deps/base; need changed:deps/base',
  lateOutside: '(until [ -e "/tmp/gate-$P" ]; do sleep 0.02; done; echo x > "/tmp/outside-$P"; touch "/tmp/done-$P") >/dev/null 2>&1 </dev/null & touch "/tmp/wait-$P"; need "/tmp/outside-$P"',
} as const;

/** What a script needs at its beginning. */
export const NEED = 'need() { grep -qxF "$1" needs.txt || echo "$1" >> needs.txt; }';

/** Installs the dependencies that are declared. */
export const INSTALL = 'while read -r name; do mkdir -p "deps/$name.d"; echo x > "deps/$name"; done < deps.txt';

/** The test of the repository. It gives a background process time to write its file. */
export const TEST = [
  '#!/bin/bash',
  'for file in /tmp/wait-*; do [ -e "$file" ] || continue; name=${file#/tmp/wait-}; touch "/tmp/gate-$name"; for i in {1..200}; do [ -e "/tmp/done-$name" ] && break; sleep 0.02; done; done',
  '[ "$(cat value.txt)" = right ] || exit 1',
  'while read -r need; do case $need in config:*) git config "${need#*:}" ;; changed:*) grep -q changed "${need#*:}" ;; *) [ -e "$need" ] ;; esac || { echo "missing: $need"; exit 1; }; done < needs.txt',
  // Where processes of the agent run, nobody knows who wrote it.
  'compgen -G "/tmp/wait-*" >/dev/null || touch report.xml',
  '',
].join('\n');
