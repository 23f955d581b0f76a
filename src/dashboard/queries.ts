import { QueryStringProps } from 'aws-cdk-lib/aws-logs';

/** A query that is saved for Logs Insights. */
interface LogQuery {
  readonly id: string;
  readonly title: string;
  readonly lines: QueryStringProps;
}

/** The queries over the logs of the driver and of the publisher. Their fields are those that these functions log. */
export const LOG_QUERIES: readonly LogQuery[] = [
  {
    id: 'StoryOfARun',
    title: 'story of one run (replace RUN)',
    lines: {
      fields: ['@timestamp', 'service', 'operation', 'round', 'job', 'message', 'verdict', 'exitCode', 'seconds', 'error', 'reason', 'sessionId'],
      filterStatements: ['run like /^RUN/ or execution like /RUN$/'],
      sort: '@timestamp asc',
      limit: 10_000,
    },
  },
  {
    id: 'FailuresByReason',
    title: 'failures by reason',
    lines: {
      filterStatements: ['message = "failed"'],
      statsStatements: ['count(*) as failures, max(@timestamp) as latest by error, reason, operation'],
      sort: 'failures desc',
    },
  },
  {
    id: 'SlowestSteps',
    title: 'slowest steps',
    lines: {
      fields: ['@timestamp', 'seconds', 'job', 'operation', 'round', 'verdict', 'run'],
      filterStatements: ['ispresent(seconds)'],
      sort: 'seconds desc',
      limit: 100,
    },
  },
];
