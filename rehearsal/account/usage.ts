/** The text that `run --help` and `runs --help` print. */
export const ACCOUNT_USAGE = `Starts, follows and stops runs of a CodingLoop in an AWS account, with the story, record and exit codes of a rehearsal.

  cdk-agentcore-workbench run --stack NAME --prompt '...' [--task ID] [--session RUN] [--detach]
  cdk-agentcore-workbench runs --stack NAME                    lists the newest runs
  cdk-agentcore-workbench runs show | watch | logs | report | stop RUN
  cdk-agentcore-workbench runs stop --all
  cdk-agentcore-workbench runs brake on | off | status

Find the loop
  --stack NAME         the stack of the loop; stacks that are nested in it are included
  --loop PATH          path or logical ID of the CodingLoop, if the stack has several; or the ARN of its state machine, without --stack
  --profile NAME       the profile of the AWS CLI (default: AWS_PROFILE)
  --region NAME        the region (default: AWS_REGION, or that of the profile)
  RUN                  the name of a run, a part of the name that is unique, or its ARN, which needs no --stack

Start a run
  --prompt TEXT        the task for the agent
  --task ID            ID of the task, which names the branch
  --input FILE         JSON file with the input of the run: prompt, taskId, repository, issue, session
  --repository URL     the repository, for a loop that takes it from its input
  --ref REF            branch, tag or commit to start from
  --issue NUMBER       the issue or pull request on which the run comments
  --session RUN        continues in the workspace of an earlier run; the ID of a session also works
  --update             with --session: updates the workspace to the newest commit, and keeps the work of earlier runs of the task
  --on-top             with --session: starts another --task from the branch of the last task
  --name NAME          name of the run (default: the task and the time)
  --detach             prints the name of the run and does not follow it

Look at runs
  runs list            lists runs, the newest first: --max N (default: 20), --state RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED
  runs show RUN        prints the story of a run so far
  runs watch RUN       prints the story, and follows the run until it ends; Ctrl-C ends the command but not the run
  runs logs RUN        prints the output of the agent and the gates: --step STATE or --gate NAME selects a part of it
  runs report RUN      writes report.html: --output FILE

Stop runs
  runs stop RUN        stops the execution and the sessions of the run, and waits until AgentCore confirms that they no longer exist
  runs stop --all      stops all runs of the loop, or of all loops of the stack, that are in progress; needs --yes without a terminal
  runs brake on        prevents new runs and turns until "off"; runs in progress end at their next turn

  --json               prints JSON
  --yes                does not ask for confirmation

Exit codes: 0 committed, or nothing changed and all gates passed, or the command succeeded; 1 red: the agent, the bootstrap or a gate failed; 2 misuse;
            3 infrastructure, a missing permission, or a session that could not be stopped; 130 interrupted
`;
