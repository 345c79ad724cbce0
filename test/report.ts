import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Names every skipped test with its reason, and closes with one plain line of counts. */
export default class Report implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests: TestCase[] = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const skipped = tests.filter((test) => test.result().state === 'skipped');
    for (const test of skipped) {
      const result = test.result();
      console.log(`skipped: ${test.fullName}: ${('note' in result && result.note) || 'no reason given'}`);
    }
    const brokenFiles = modules.filter(
      (module) => module.state() === 'failed' && module.errors().length > 0,
    ).length;
    console.log(
      `\n${count('passed')} passed, ${count('failed') + brokenFiles} failed, ${skipped.length} skipped`,
    );
  }
}
