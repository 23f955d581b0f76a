import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GateOptions } from '../../src';

/** A test tool, and a suite of four tests in two files: one is skipped, and "edge" fails. */
export interface TestTool {
  /** The programs that a tool needs that takes long to install, and is tested only nightly. */
  readonly nightly?: readonly string[];
  /** Installs the tool into a directory, unless the machine has it. */
  readonly install?: (directory: string) => void;
  readonly files: Readonly<Record<string, string>>;
  /** Returns the command of the gate. */
  readonly command: (directory: string) => string;
  readonly options: GateOptions & { readonly report: string };
  /** Shell commands that break what "small" tests, and mend it in another way. */
  readonly break: string;
  readonly mend: string;
  /** A shell command that removes a test that passes. */
  readonly remove: string;
  /** The number of tests that run. */
  readonly ran: number;
  /** The number of skipped tests in the report, by default 1. */
  readonly skipped?: number;
  /** The names of the tests in the reports. */
  readonly known: readonly string[];
  readonly broken: string;
  /** A shell command that makes a file of tests end its process, or fail to load. */
  readonly crash: string;
}

const execute = (cwd: string, program: string, ...args: string[]) => execFileSync(program, args, { cwd, encoding: 'utf8', stdio: 'pipe' });
const JEST = dirname(require.resolve('jest/package.json'));
const JEST_JUNIT = dirname(require.resolve('jest-junit/package.json'));

const MAVEN_FILES = {
  '.gitignore': 'reports/\ntarget/\n',
  'pom.xml': `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>prices</groupId>
  <artifactId>prices</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.release>17</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency><groupId>org.junit.jupiter</groupId><artifactId>junit-jupiter</artifactId><version>5.11.4</version><scope>test</scope></dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.13.0</version></plugin>
      <plugin><artifactId>maven-surefire-plugin</artifactId><version>3.5.2</version></plugin>
    </plugins>
  </build>
</project>
`,
  'src/main/java/prices/Prices.java': `package prices;

public class Prices {
    public static int total(int sum) {
        return sum > 100 ? sum * 9 / 10 : sum;
    }
}
`,
  'src/test/java/prices/PricesTest.java': `package prices;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;

class PricesTest {
    @Test void small() { assertEquals(10, Prices.total(10)); }
    @Test void edge() { assertEquals(90, Prices.total(100)); }
    @Test @Disabled void later() {}
}
`,
  'src/test/java/prices/MoreTest.java': 'package prices;\n\nclass MoreTest {\n    @org.junit.jupiter.api.Test void more() {}\n}\n',
};

const TOOLS: Readonly<Record<string, TestTool>> = {
  'Jest with jest-junit': {
    files: {
      '.gitignore': 'reports/\n',
      'package.json': '{ "name": "prices", "private": true, "jest": { "transform": {} } }\n',
      'prices.js': 'exports.total = (sum) => sum > 100 ? sum * 0.9 : sum;\n',
      'prices.test.js': `const { total } = require('./prices');
test('small', () => expect(total(10)).toBe(10));
test('edge', () => expect(total(100)).toBe(90));
// Skipped on purpose: the report must count it.
test.skip('later', () => {});
`,
      'more.test.js': 'test(\'more\', () => {});\n',
    },
    command: () => `node ${JEST}/bin/jest.js --ci --cacheDirectory /tmp/jest-$(id -u) --reporters default --reporters ${JEST_JUNIT}`,
    options: { report: 'reports/junit.xml', environment: { JEST_JUNIT_OUTPUT_DIR: 'reports' } },
    break: 'sed -i "s/: sum/: sum + 1/" prices.js',
    mend: 'sed -i "s/: sum + 1/: sum/; s/^/\\n/" prices.js',
    remove: 'rm more.test.js',
    ran: 3,
    known: ['edge'],
    broken: 'small',
    crash: 'echo "require(\'nothing\');" >> more.test.js',
  },
  'pytest': {
    install: (directory) => execute(directory, 'python3', '-m', 'pip', 'install', '--quiet', '--target', 'pytest', 'pytest==8.4.2'),
    files: {
      '.gitignore': 'reports/\n__pycache__/\n',
      'prices.py': 'def total(sum):\n    return sum * 0.9 if sum > 100 else sum\n',
      'test_prices.py': `import pytest
from prices import total

def test_small():
    assert total(10) == 10

def test_edge():
    assert total(100) == 90

@pytest.mark.skip
def test_later():
    pass
`,
      'test_more.py': 'def test_more():\n    pass\n',
    },
    command: (directory) => `PYTHONPATH=${directory}/pytest:. python3 -B -m pytest -q -p no:cacheprovider --junitxml reports/junit.xml`,
    options: { report: 'reports/*.xml' },
    break: 'sed -i "s/else sum/else sum + 1/" prices.py',
    mend: 'sed -i "s/else sum + 1/else sum  # no discount/" prices.py',
    remove: 'rm test_more.py',
    ran: 3,
    known: ['test_prices test_edge'],
    broken: 'test_prices test_small',
    crash: 'echo "import nothing" >> test_more.py',
  },
  'gotestsum': {
    // The newest version that the Go of Debian 12 compiles.
    install: (directory) => {
      const env = { ...process.env, GOBIN: directory, GOCACHE: join(directory, 'go') };
      execFileSync('go', ['install', 'gotest.tools/gotestsum@v1.10.1'], { env, stdio: 'pipe' });
      execFileSync('go', ['build', 'testing', 'testing/internal/testdeps'], { env, stdio: 'pipe' }); // what each sandbox would compile
      execute(directory, 'chmod', '-R', 'a+rwX', 'go');
    },
    files: {
      '.gitignore': 'reports/\n',
      'go.mod': 'module example.com/prices\n\ngo 1.19\n',
      'prices.go': 'package prices\n\nfunc Total(sum int) int {\n\tif sum > 100 {\n\t\treturn sum * 9 / 10\n\t}\n\treturn sum\n}\n',
      'prices_test.go': `package prices

import "testing"

func TestSmall(t *testing.T) {
	if Total(10) != 10 {
		t.Error(Total(10))
	}
}

func TestEdge(t *testing.T) {
	if Total(100) != 90 {
		t.Error(Total(100))
	}
}

func TestLater(t *testing.T) { t.Skip() }
`,
      'more/more_test.go': 'package more\n\nimport "testing"\n\nfunc TestMore(t *testing.T) {}\n',
    },
    command: (directory) => `PATH=$PATH:${execute('/', 'go', 'env', 'GOROOT').trim()}/bin GOPATH=/tmp/go-$(id -u) GOCACHE=${directory}/go ${directory}/gotestsum --junitfile reports/junit.xml ./...`,
    options: { report: 'reports/junit.xml' },
    break: 'sed -i "s/return sum$/return sum + 1/" prices.go',
    mend: 'sed -i "s/return sum + 1/return sum \\/\\/ no discount/" prices.go',
    remove: 'rm -r more',
    ran: 3,
    known: ['example.com/prices TestEdge'],
    broken: 'example.com/prices TestSmall',
    crash: 'sed -i "s/func TestMore.*/import \\"os\\"\\n\\nfunc TestMore(t *testing.T) { os.Exit(1) }/" more/more_test.go',
  },
  'Maven Surefire': {
    nightly: ['java', 'mvn'],
    // Surefire loads what runs the tests only when it runs some: once with the network, and offline in the gates.
    install: (directory) => {
      for (const [path, content] of Object.entries(MAVEN_FILES)) {
        const file = join(directory, 'maven', path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, content);
      }
      execute(join(directory, 'maven'), 'mvn', '-B', '-q', `-Dmaven.repo.local=${directory}/m2`, '-Dmaven.test.failure.ignore', 'test');
      execute(directory, 'chmod', '-R', 'a+rwX', 'm2');
    },
    files: MAVEN_FILES,
    command: (directory) => `mvn -B -o -Dmaven.repo.local=${directory}/m2 test`,
    options: { report: 'target/surefire-reports/TEST-*.xml' },
    break: 'sed -i "s/: sum;/: sum + 1;/" src/main/java/prices/Prices.java',
    mend: 'sed -i "s/: sum + 1;/: sum; \\/\\/ no discount/" src/main/java/prices/Prices.java',
    remove: 'rm src/test/java/prices/MoreTest.java',
    ran: 3,
    known: ['prices.PricesTest edge'],
    broken: 'prices.PricesTest small',
    crash: 'sed -i "s/more() {}/more() { System.exit(1); }/" src/test/java/prices/MoreTest.java',
  },
  'cargo-nextest': {
    nightly: ['rustc', 'cargo-nextest', 'cc'],
    // The toolchain of the user who runs this test is in a home directory that other users cannot read.
    install: (directory) => {
      execute(directory, 'bash', '-euc', `
        shopt -s nullglob # Debian's Rust has its libraries elsewhere, where all users find them
        sysroot=$(rustc --print sysroot)
        mkdir -p rust/bin rust/lib
        cp "$sysroot"/bin/{cargo,rustc} "$(command -v cargo-nextest)" rust/bin
        cp -r "$sysroot"/lib/{lib{rustc_driver,LLVM,std}*,rustlib} rust/lib
        chmod -R a+rX rust
      `);
    },
    files: {
      '.gitignore': 'reports/\ntarget/\n',
      '.config/nextest.toml': '[profile.default.junit]\npath = "junit.xml"\n',
      'Cargo.toml': '[package]\nname = "prices"\nversion = "0.1.0"\nedition = "2021"\n',
      'Cargo.lock': 'version = 3\n\n[[package]]\nname = "prices"\nversion = "0.1.0"\n',
      'src/lib.rs': `pub fn total(sum: u32) -> u32 {
    if sum > 100 { sum * 9 / 10 } else { sum }
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn small() { assert_eq!(total(10), 10); }

    #[test]
    fn edge() { assert_eq!(total(100), 90); }

    #[test]
    #[ignore]
    fn later() {}
}
`,
      'tests/more.rs': '#[test]\nfn more() {}\n',
    },
    command: (directory) => `PATH=${directory}/rust/bin:$PATH CARGO_HOME=/tmp/cargo-$(id -u) cargo nextest run --offline --locked --no-fail-fast`,
    options: { report: 'target/nextest/default/junit.xml' },
    break: 'sed -i "s/{ sum }/{ sum + 1 }/" src/lib.rs',
    mend: 'sed -i "s/{ sum + 1 }/{ sum } \\/\\/ no discount/" src/lib.rs',
    remove: 'rm -r tests',
    ran: 3,
    skipped: 0, // ignored tests are not in the report
    known: ['prices tests::edge'],
    broken: 'prices tests::small',
    crash: 'sed -i "s/more() {}/more() { std::process::exit(1) }/" tests/more.rs',
  },
};

const isMissing = (program: string) => spawnSync('which', [program]).status !== 0;

/**
 * Returns the names and the tools that are tested here. WORKBENCH_ALL_TEST_TOOLS, which `.ci/nightly` sets, adds those that take long to install;
 * one whose programs the machine lacks is left out, with a message.
 */
export function testTools(): [string, TestTool][] {
  const all = 'WORKBENCH_ALL_TEST_TOOLS' in process.env;
  return Object.entries(TOOLS).filter(([name, { nightly }]) => {
    if (nightly === undefined || !all) return nightly === undefined;
    const missing = nightly.filter(isMissing);
    if (missing.length > 0) process.stderr.write(`${name} is not tested, because this machine does not have ${missing.join(', ')}\n`);
    return missing.length === 0;
  });
}
