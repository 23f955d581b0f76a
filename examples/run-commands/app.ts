/** A custom state machine: asks the agent, checks its work with a command and stops the session. */
import { App } from 'aws-cdk-lib';
import { AskAndCheckStack } from './stack';

const app = new App();
new AskAndCheckStack(app, 'AskAndCheck');
app.synth();
