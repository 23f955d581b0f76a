/**
 * The files of a repository whose tests are shell scripts in `tests`, and of a runner that writes a JUnit report about them, as real runners do.
 * A test whose first line is `# skip` is skipped.
 */
export function junitSuite(tests: { readonly [name: string]: string }): { readonly [path: string]: string } {
  return {
    '.gitignore': 'reports/\n',
    'run.sh': RUNNER,
    ...Object.fromEntries(Object.entries(tests).map(([name, script]) => [`tests/${name}`, `${script}\n`])),
  };
}

const RUNNER = `#!/bin/bash
mkdir -p reports
cases="" failed=0 tests=0
for file in tests/*; do
  name=\${file##*/} tests=$((tests + 1))
  if [[ $(head -n 1 "$file") == "# skip" ]]; then
    cases+="<testcase classname=\\"suite\\" name=\\"$name\\"><skipped/></testcase>"
  elif bash "$file"; then
    cases+="<testcase classname=\\"suite\\" name=\\"$name\\"/>"
  else
    failed=$((failed + 1))
    cases+="<testcase classname=\\"suite\\" name=\\"$name\\"><failure message=\\"it failed\\"/></testcase>"
  fi
done
echo "<testsuite name=\\"suite\\" tests=\\"$tests\\" failures=\\"$failed\\">$cases</testsuite>" >reports/junit.xml
echo "$failed of $tests failed after $RANDOM ms"
((failed == 0))
`;
