/** The text that `--help` prints. */
export const USAGE = `Runs a coding loop on this machine: an agent's turn, gates, repairs, a commit.

  cdk-agentcore-workbench rehearse --app cdk.out [--loop PATH] --input input.json
  cdk-agentcore-workbench rehearse --repository DIR --agent 'COMMAND' --gate test='npm test' --prompt '...'
  cdk-agentcore-workbench rehearse --session ID --prompt '...'       continues in the workspace of a session
  cdk-agentcore-workbench rehearse sessions | stop ID | shell ID | logs ID
  cdk-agentcore-workbench rehearse clean [--session ID] [--older-than TIME]
  cdk-agentcore-workbench run | runs --help                          runs in an AWS account: starts, follows, lists and stops them
  cdk-agentcore-workbench --version

Run a loop of an app
  --app DIR            the app's cloud assembly, such as cdk.out
  --stack NAME         the stack to use, if the assembly has several
  --loop PATH          path or logical ID of the CodingLoop, if the stack has several
  --input FILE         JSON file with the input of the run: prompt, taskId, repository, session
  --agent COMMAND      a server of /ping and /invocations on $PORT, in place of the image's own command; starts in the session's workspace
  --agent NAME         the program of this machine that NAME stands for, as below, in place of the image's own command

Run any agent on any repository
  --repository DIR     directory or URL of a git repository; the run works on a copy and does not change the original
  --ref REF            branch, tag or commit to start from
  --agent COMMAND      the agent: reads the prompt from its standard input and changes files in the clone, where it starts; give the
                       absolute path of a program that is not committed. Its environment has WORKBENCH_ROUND (0 in the first turn, 1 in
                       the first repair, ...), WORKBENCH_TASK_ID, and WORKBENCH_PROMPT_FILE, a file with the prompt
  --agent NAME         claude-code, codex, opencode or aider: the program of this machine, with the flags for unattended work; pass its
                       credentials with --env, such as --env ANTHROPIC_API_KEY, and a model with --env WORKBENCH_AGENT_MODEL
  --gate NAME=COMMAND  command that must pass, started in the clone; every command and line of it must pass, also in a pipe; repeatable
  --bootstrap COMMAND  prepares the clone, such as 'npm ci'; repeatable
  --gates-before       also runs the gates before the first turn, to show those that pass without any change
  --check-base         first runs the gates on the files as they are, in a clean checkout, and ends the run if one of them fails
  --known-failures     like --check-base, but continues: a gate that failed there passes if nothing fails that did not fail there
  --report NAME=GLOB   JUnit XML reports that the gate NAME writes, such as test='reports/*.xml': they must say that it passed, too, and
                       they name the failing tests; repeatable
  --retries NAME=N     runs the gate NAME again if it fails in the verification, at most N times (default: 0, at most 5); repeatable
  --no-pipefail        lets a pipe in a gate pass if its last program passes
  --max-repairs N      maximum number of repairs (default: 3)
  --timeout NAME=TIME  timeout of the gate NAME (default: 15m), of a turn if NAME is "agent" (60m), or of the bootstrap if NAME is
                       "bootstrap" (13m), such as test=40m, 90s or 2h; at most 8h; repeatable

Manage sessions
  sessions             lists the sessions with the last run of each
  stop ID              stops the run of a session in order, like Ctrl-C
  shell ID             opens a shell in a session's workspace
  logs ID              prints the output of the agent and of each command
  clean                removes sessions with their workspaces, logs and reports, and copies of repositories that no session uses
  --older-than TIME    for clean: removes only what ended before that, such as 90m, 12h or 7d

Options of every run
  --prompt TEXT        the task for the agent
  --task ID            ID of the task, which names the branch
  --session ID         continues in the workspace of an earlier run
  --update             with --session: brings the workspace to the newest commit, and keeps the work of earlier runs of the task
  --on-top             with --session: starts another --task from the branch of the last task instead of from the newest commit
  --depth N            clones the newest N commits with all their contents, or all commits if N is 0 (default: all commits, with the
                       contents of the newest)
  --env NAME           passes an environment variable to the sessions; repeatable. A value of 8 characters or more that is not a path is
                       masked in the story, the report, the record and "rehearse logs", and a commit that contains it is not made
  --ssh-agent          lets sessions use your ssh agent, for private dependencies: everything that runs in them can sign with its keys
  --cache DIR          keeps the caches of npm, pip, uv, Go and others in DIR, for all sessions
  --sandbox KIND       namespace: the programs of this machine, on Linux; container: those of an image, with docker, podman or finch;
                       auto: namespace if it works here, otherwise container (default: auto)
  --image NAME         image of the containers, in place of the app's own, which is built; implies --sandbox container
  --user NUMBER        user that sessions run as; 0 is root, as in the service; implies --sandbox namespace (default: you)
  --command-mode MODE  how the emulated service parses a command: strict, split (into words, like a POSIX shell) or shell; what the loop
                       sends means the same in each (default: strict)
  --state DIR          directory for sessions, copies of repositories and reports (default: .rehearsal)
  --json               prints the record instead of the story
  --verbose            also prints the logs of the handlers; with logs, also those of the loop's own commands

Exit codes: 0 committed, or nothing changed and all gates passed; 1 red: the agent, the bootstrap or a gate failed; 2 misuse; 3 infrastructure;
            130 interrupted
`;
