import { expect, test } from '../fixtures/studio';
import { JobPage } from '../pages/job';
import { TablePage } from '../pages/table';
import { TrainPage } from '../pages/train';

const FOREVER = `
import time
for line in range(100000):
    print("line", line, flush=True)
    time.sleep(0.2)
`;

/** No argument of a processing job has a line break in it. */
const FOREVER_IN_A_LINE =
  'import time; [print("line", n, flush=True) or time.sleep(0.2) for n in range(100000)]';

const RAISES = `
def load():
    raise ValueError("the column fee holds text")

print("reading", flush=True)
load()
`;

test('the traceback of a failed job is seen first', async ({ studio }) => {
  const job = new JobPage(studio);
  const name = await studio.startScript('raises', RAISES);
  await job.open(name);
  await expect(job.status).toHaveText(/Failed/, { timeout: 60_000 });
  await expect(job.failure).toContainText('the column fee holds text');
  await expect(job.failure).toContainText('in load');
  const [failure, tabs] = await Promise.all([
    job.failure.boundingBox(),
    studio.screen.getByRole('tablist').boundingBox()
  ]);
  expect(failure?.y ?? Infinity).toBeLessThan(tabs?.y ?? 0);
});

test('a job is stopped, and cloned', async ({ studio }) => {
  const job = new JobPage(studio);
  const train = new TrainPage(studio);
  const name = await studio.startScript('stops', FOREVER);
  await job.open(name, 'logs');
  await expect(
    job.logLines.filter({ hasText: 'line 3' }).first()
  ).toBeVisible();
  await job.press('Stop');
  await job.confirm('Stop job');
  await expect(job.status).toHaveText(/Stopped/, { timeout: 60_000 });

  await job.press('Clone');
  // The form has what the job had.
  await expect(studio.screen.getByText('stops.py').first()).toBeVisible();
  await train.name('stops-again');
  await expect(train.start).toBeEnabled();
  await train.start.click();
  await expect(job.status).toHaveText(/InProgress/);
  await studio.call('sagemaker', 'StopTrainingJob', {
    TrainingJobName: 'stops-again'
  });
  await expect(job.status).toHaveText(/Stopped/, { timeout: 60_000 });
});

test('a reload in the middle of a job leads back to it', async ({
  page,
  studio
}) => {
  const job = new JobPage(studio);
  const name = await studio.startScript('reloads', FOREVER);
  await job.open(name, 'logs');
  await expect(job.logLines.first()).toBeVisible();
  expect(page.url()).toContain(`bottega=jobs/${name}`);
  await studio.reload();
  await expect(job.status).toHaveText(/InProgress/);
  await expect(
    studio.screen.getByRole('tab', { name: 'Logs' })
  ).toHaveAttribute('aria-selected', 'true');
  const last = job.logLines.last();
  const before = Number(await last.getAttribute('data-line'));
  await expect
    .poll(async () => Number(await last.getAttribute('data-line')))
    .toBeGreaterThan(before);
  await studio.call('sagemaker', 'StopTrainingJob', { TrainingJobName: name });
  await expect(job.status).toHaveText(/Stopped/, { timeout: 60_000 });
});

test('the list is live, and stays so when the daemon is killed and comes back', async ({
  studio
}) => {
  const jobs = new TablePage(studio, 'Jobs');
  await studio.showSidebar();
  await studio.open('jobs');
  const first = await studio.startScript('before-the-kill', 'print("a")');
  await expect(jobs.status(`Training/${first}`)).toHaveText(/Completed/, {
    timeout: 60_000
  });
  await studio.killDaemon();
  const second = await studio.startScript('after-the-kill', 'print("b")');
  await expect(jobs.status(`Training/${second}`)).toHaveText(/Completed/, {
    timeout: 60_000
  });
  await expect(studio.sidebar.getByText(second)).toBeVisible();
});

test('ten thousand lines are followed, searched and left', async ({
  studio
}) => {
  const job = new JobPage(studio);
  const program = `
for line in range(10000):
    print("needle" if line == 4321 else "hay", line)
`;
  const name = await studio.startScript('long-log', program);
  await studio.awaitJob(name, 'Completed');
  await job.open(name, 'logs');
  await expect(job.logLines.filter({ hasText: 'hay 9999' })).toBeVisible();
  const search = studio.screen.getByRole('searchbox', {
    name: 'Search in the log'
  });
  await search.fill('needle');
  await search.press('Enter');
  await expect(job.logLines.filter({ hasText: 'needle 4321' })).toBeVisible();
});

test('a processing job is in the list, and has its screen', async ({
  studio
}) => {
  const job = new JobPage(studio);
  const facts = await studio.call<{ RoleArn: string }>(
    'bottega',
    'DescribeStudio',
    {}
  );
  await studio.call('sagemaker', 'CreateProcessingJob', {
    ProcessingJobName: 'counts',
    RoleArn: facts.RoleArn,
    AppSpecification: {
      ImageUri: 'python',
      ContainerEntrypoint: ['python3', '-c', FOREVER_IN_A_LINE]
    },
    ProcessingResources: {
      ClusterConfig: {
        InstanceType: 'ml.m5.large',
        InstanceCount: 1,
        VolumeSizeInGB: 30
      }
    },
    StoppingCondition: { MaxRuntimeInSeconds: 600 }
  });
  await studio.open('jobs');
  await studio.screen
    .getByRole('combobox', { name: 'Kind of jobs' })
    .selectOption('Processing');
  const row = new TablePage(studio, 'Jobs').row('Processing/counts');
  await expect(row).toContainText('python3');
  await row.click();
  await expect(
    job.logLines.filter({ hasText: 'line 3' }).first()
  ).toBeVisible();
  await job.press('Stop');
  await job.confirm('Stop job');
  await expect(job.status).toHaveText(/Stopped/, { timeout: 60_000 });
  await job.show('Configuration');
  await expect(
    studio.screen.getByRole('region', { name: 'Job' })
  ).toContainText('processing-job/counts');
});
