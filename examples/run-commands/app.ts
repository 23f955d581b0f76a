/** A state machine of one's own: ask the agent, check its work with a command, stop the session. */
import { App } from 'aws-cdk-lib';
import { AskAndCheckStack } from './stack';

const app = new App();
new AskAndCheckStack(app, 'AskAndCheck');
app.synth();
