/** The steps of a rollout, drawn as a state machine. No such state machine exists: each step is read from the service anew. */
export const ROLLOUT_SEQUENCE = {
  StartAt: 'Note the request',
  States: {
    'Note the request': { Type: 'Choice', Choices: [{ Next: 'Stop: a newer one came' }], Default: 'Has the configuration passed?' },
    'Stop: a newer one came': { Type: 'Fail' },
    'Has the configuration passed?': { Type: 'Choice', Choices: [{ Next: 'Hand out an endpoint' }], Default: 'Version ready?' },
    'Version ready?': { Type: 'Task', Next: 'Make the endpoint' },
    'Make the endpoint': { Type: 'Task', Next: 'Endpoint ready?' },
    'Endpoint ready?': { Type: 'Task', Next: 'Smoke tests' },
    'Smoke tests': { Type: 'Choice', Choices: [{ Next: 'Remove the candidate' }], Default: 'Stop the session' },
    'Stop the session': { Type: 'Task', Next: 'Note that it passed' },
    'Note that it passed': { Type: 'Task', Next: 'Hand out an endpoint' },
    'Hand out an endpoint': { Type: 'Task', Next: 'Remove what is not kept' },
    'Remove what is not kept': { Type: 'Task', Next: 'Deployed' },
    'Deployed': { Type: 'Succeed' },
    'Remove the candidate': { Type: 'Task', Next: 'Roll back' },
    'Roll back': { Type: 'Fail' },
  },
};
