/** Jest runs this before each test file. `check` sets the variable; `check:fast`, the nightly script and a run of a single file do not. */
if (process.env.WORKBENCH_SECOND_TRY) jest.retryTimes(1, { logErrorsBeforeRetry: true });
