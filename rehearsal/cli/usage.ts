/** What `--help` prints. */
export const USAGE = `Runs a coding loop on this machine: turn, gates, repair, commit.

  cdk-agentcore-workbench rehearse --app cdk.out [--loop PATH] --input input.json
  cdk-agentcore-workbench rehearse --repository DIR --agent 'COMMAND' --gate test='npm test' --prompt '...'
  cdk-agentcore-workbench rehearse --session ID --prompt '...'       goes on in a session's workspace
  cdk-agentcore-workbench rehearse sessions | stop ID | shell ID | logs ID
  cdk-agentcore-workbench rehearse clean [--session ID] [--older-than TIME]
  cdk-agentcore-workbench --version

A loop of an app
  --app DIR            its cloud assembly, such as cdk.out
  --stack NAME         the stack in it, if there are several
  --loop PATH          path or logical id of the CodingLoop, if there are several
  --input FILE         JSON of the run's input: prompt, taskId, repository, session
  --agent COMMAND      serves /ping and /invocations on $PORT, instead of the image's own command; starts in the session's workspace

Any repository, any agent
  --repository DIR     a directory or URL with a git repository; a copy is worked on, the original is not touched
  --ref REF            branch, tag or commit to start from
  --agent COMMAND      the agent: reads the prompt from its standard input, changes files where it is started, which is in the clone:
                       give the absolute path of a program that is not committed. It has WORKBENCH_ROUND (0 in the first turn, 1 in the
                       first repair, ...), WORKBENCH_TASK_ID, and WORKBENCH_PROMPT_FILE, which has the prompt too
  --gate NAME=COMMAND  what has to pass, started in the clone: all of its commands and lines, also in a pipe; may be given again
  --bootstrap COMMAND  makes the clone ready, such as 'npm ci'; may be given again
  --gates-before       runs the gates before the first turn too: one that is green then proves nothing about the task
  --no-pipefail        lets a pipe in a gate pass if its last program does
  --max-repairs N      how often the agent may repair (3)
  --timeout NAME=TIME  how long a gate may take (15m), or with the name "agent" a turn (60m), or with "bootstrap" the bootstrap (13m):
                       such as test=40m, 90s or 2h, at most 8h; may be given again

What is kept
  sessions             lists the sessions, with the last run of each
  stop ID              ends the run of a session in order, as Ctrl-C does
  shell ID             opens a shell where the session's commands ran
  logs ID              prints what the agent and each command printed
  clean                removes sessions with their workspaces, logs and reports, and copies of repositories that no session uses any more
  --older-than TIME    for clean: only what ended before that, such as 90m, 12h or 7d

Both
  --prompt TEXT        what the agent is to do
  --task ID            names the branch
  --session ID         goes on in the workspace of an earlier run
  --update             with --session: brings its workspace to the newest commit, and keeps what runs of the task have done there
  --on-top             with --session: starts another --task from the branch of the last one, and not from the newest commit
  --depth N            clones the N newest commits with all their contents, 0 for all (all commits, contents of the newest)
  --env NAME           passes a variable of yours on to the sessions; may be given again; its value, if it has 8 characters or more and
                       is no path, is masked in the story, the report, the record and "rehearse logs", and a
                       commit that would hold it is not made
  --ssh-agent          lets sessions use your ssh agent, for private dependencies: all that runs in them can sign with its keys meanwhile
  --cache DIR          keeps the caches of npm, pip, uv, Go and others for the next session, also those of other runs
  --sandbox KIND       namespace: this machine's programs, on Linux; container: those of an image, by docker, podman or finch;
                       auto: namespace where that works, else container (auto)
  --image NAME         what containers are made from, instead of the app's own image, which is built; means --sandbox container
  --user NUMBER        the user that sessions run as; 0 is root, as in the service; means --sandbox namespace (you)
  --command-mode MODE  how the emulated service reads the text of a command: strict, split (words, as a POSIX shell takes them) or shell;
                       what is sent means the same in each (strict)
  --state DIR          where sessions, copies and reports are kept (.rehearsal)
  --json               prints the record instead of the story
  --verbose            prints the handlers' logs too; with logs, also those of the loop's own commands

Exit codes: 0 committed, or nothing changed and all gates green; 1 red; 2 misuse; 3 infrastructure; 130 interrupted
`;
