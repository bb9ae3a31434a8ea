// What users write, in many wordings. Paths are filled in for `{path}`, function names for `{name}`.

const PLAIN = `Fix the failing test
Fix the failing test.
fix the failing test
Fix the failing tests
Fix the test
Fix the tests
fix tests
The tests are red, please fix
The tests are red, please fix them.
make npm test pass
Make npm test pass.
Make the tests pass
make the tests green
Please make the tests green again
npm test fails, fix it
npm test fails. Can you fix it?
A test fails. Fix the bug.
Something is broken, the tests fail
Find the bug and fix it
Find and fix the bug
There is a bug. Find it and fix it.
Why does the test fail? Fix it.
Run the tests and fix what fails
Run the tests, then fix the code
Please fix the failing test
Can you fix the failing test?
Could you fix the failing tests please
Get the tests to pass
The build is red. Fix it.
Fix the bug
fix the bug please
Repair the code so that the tests pass
I broke something. Make the tests pass again.
Tests are failing after my last change, please fix
Help, my test is failing
My tests fail. Please repair the code.
One test is red. Make it green.
Debug this project
Fix this project
Please have a look at the failing test`.split("\n");

const POINTED = `Fix the failing test in {path}
Fix the failing test in {path}.
Fix the bug in {path}
fix {path}
There is a bug in {path}, fix it
The test for {path} fails, please fix
{name} returns the wrong value. Fix it.
{name} is broken
Fix {name}
fix the bug in {name}
The {name} test fails
The tests of {name} are red, please fix
{name} does not work as tested, please repair it
Please fix {name} in {path}
make the {name} test pass`.split("\n");

export const PLAIN_PROMPTS: readonly string[] = PLAIN;
export const POINTED_PROMPTS: readonly string[] = POINTED;

/** Words before the first call; the empty ones are the most common. */
export const OPENINGS: readonly string[] = [
  "I run the tests first.",
  "I run the tests first.",
  "I run the tests to see what fails.",
  "Let me run the tests.",
];
