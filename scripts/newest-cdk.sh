#!/usr/bin/env bash
# Compiles and unit-tests a copy of the project against the newest aws-cdk-lib, without touching this checkout.
set -euo pipefail
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
# The compiler may have ended by then: that is no failure. The exit code of the script stays as it is.
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$copy"' EXIT
git ls-files -z | xargs -0 cp --parents -t "$copy"
cd "$copy"
# Bundled dependencies of aws-cdk-lib break when its version changes in place: install from scratch.
rm -f package-lock.json
npm pkg set devDependencies.aws-cdk-lib=latest devDependencies.constructs=^10.5.1
npm install --no-audit --no-fund --loglevel=error
echo "aws-cdk-lib $(node -p 'require("aws-cdk-lib/package.json").version')"
npx projen bundle >/dev/null
# The tests need no compiled library, and the compiler occupies one processor.
npx jsii --silence-warnings=reserved-word &
compiler=$!
# Tests of code that depends on the CDK: constructs and state machines, but not code that runs in handlers and sessions.
npx jest --ci --coverage=false --testPathPatterns \
  'test/(coding-agent|image|mount|private|runtime|tasks)/[^/]*\.test\.ts$' \
  'test/driver/session-driver\.test\.ts$' \
  'test/loop/(coding-loop|definition)\.test\.ts$' \
  'test/rollout/runtime-rollout\.test\.ts$'
wait "$compiler"
