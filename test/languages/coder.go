// The app of docs/python.md in Go.
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	workbench "github.com/cdk-agentcore-workbench/cdk-agentcore-workbench-go/cdkagentcoreworkbench"
)

func main() {
	defer jsii.Close()

	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Coder"), nil)

	runtime := workbench.NewAgentRuntime(stack, jsii.String("Agent"), &workbench.AgentRuntimeProps{
		AgentRuntimeArtifact: workbench.AgentImage_FromDirectory(jsii.String("agent"), &workbench.AgentImageOptions{
			Command: jsii.Strings("python3", "agent.py"),
			Tools:   &[]workbench.DevTool{workbench.DevTool_PYTHON3()},
		}),
		Mounts: &[]workbench.Mount{workbench.Mount_SessionStorage(jsii.String("/mnt/workspace"))},
	})
	runtime.GrantInvokeModel(workbench.BedrockModel_InferenceProfile(jsii.String("global.anthropic.claude-sonnet-4-20250514-v1:0")))

	rollout := workbench.NewRuntimeRollout(stack, jsii.String("Rollout"), &workbench.RuntimeRolloutProps{
		Runtime: runtime,
		SmokeTests: &[]workbench.SmokeTest{
			workbench.SmokeTest_Command(jsii.String("git --version"), &workbench.SmokeCommandOptions{Timeout: awscdk.Duration_Seconds(jsii.Number(30))}),
			workbench.SmokeTest_Writable(jsii.String("/mnt/workspace")),
		},
	})
	workbench.NewCodingLoop(stack, jsii.String("Fix"), &workbench.CodingLoopProps{
		Runtime:      runtime,
		EndpointName: rollout.EndpointName(),
		Repository:   workbench.GitRepository_FromInput(&workbench.GitRepositoryOptions{Allow: jsii.Strings("https://git.example.com/*")}),
		Gates: &[]workbench.Gate{
			workbench.Gate_Command(jsii.String("syntax"), jsii.String("python3 -m py_compile prices.py"), nil),
			workbench.Gate_Command(jsii.String("test"), jsii.String("python3 -m unittest"), &workbench.GateOptions{Timeout: awscdk.Duration_Minutes(jsii.Number(10))}),
		},
		MaxRepairs: jsii.Number(2),
	})
	app.Synth(nil)
}
