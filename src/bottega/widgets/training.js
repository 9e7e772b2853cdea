
/** What the monitors of a training job share: stands after what all monitors do, in their modules. */

async function describe(call, { description: known }) {
  const request = { TrainingJobName: known.TrainingJobName };
  return sameJob(await call('sagemaker', 'DescribeTrainingJob', request), known);
}

function isRunning({ description }) {
  return !ENDED.includes(description?.TrainingJobStatus);
}

/** The module of a monitor of a training job: `about` is that of `monitor`, without what is here. */
function trainingMonitor(about) {
  return monitor({
    isRunning,
    headOf: ({ description }) => ({
      state: description.TrainingJobStatus,
      words: isRunning({ description }) ? description.SecondaryStatus : description.TrainingJobStatus,
      from: description.CreationTime,
      to: description.TrainingEndTime,
      failure: description.FailureReason
    }),
    describe,
    stop: (call, name) => call('sagemaker', 'StopTrainingJob', { TrainingJobName: name }),
    ...about
  });
}

