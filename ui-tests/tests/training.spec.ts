import { expect, test } from '../fixtures/studio';
import { JobPage } from '../pages/job';
import { TrainPage } from '../pages/train';

/** Points around two places, with the names of their columns. */
function points(seed: number): string {
  const rows = Array.from({ length: 80 }, (_, index) => {
    const place = index % 2 === 0 ? 0 : 50;
    return [place + ((index * seed) % 7), place + ((index * seed) % 5)];
  });
  return `width,height\n${rows.map(row => row.join(',')).join('\n')}\n`;
}

test('groups are found without a label, and measured on test data', async ({
  studio
}) => {
  const train = new TrainPage(studio);
  const job = new JobPage(studio);
  const data = await studio.write('flowers.csv', points(3));
  const more = await studio.write('more-flowers.csv', points(11));

  await studio.open('train');
  await train.chooseAlgorithm('K-Means');
  await train.chooseData(data);
  await expect(studio.screen.getByText(/There is no label/)).toBeVisible();
  await expect(train.label).toHaveCount(0);
  await expect(train.findings.first()).toContainText(
    'the data has 2 feature columns'
  );
  await expect(train.start).toBeDisabled();
  await train.addChannel('test');
  await train.chooseData(more, 'Channel test');
  await train.set('k', '2');
  await train.set('feature_dim', '2');
  await train.set('extra_center_factor', 'lots');
  await expect(
    studio.screen.getByText(/extra_center_factor cannot be lots/).first()
  ).toBeVisible();
  await train.set('extra_center_factor', 'auto');
  await train.name('groups');
  await expect(train.start).toBeEnabled();
  await train.start.click();

  await expect(job.status).toHaveText(/Completed/, { timeout: 90_000 });
  const described = await studio.call<{
    InputDataConfig: Array<{ ChannelName: string; ContentType: string }>;
    HyperParameters: Record<string, string>;
  }>('sagemaker', 'DescribeTrainingJob', { TrainingJobName: 'groups' });
  expect(
    described.InputDataConfig.map(item => [item.ChannelName, item.ContentType])
  ).toEqual([
    ['train', 'text/csv;label_size=0'],
    ['test', 'text/csv;label_size=0']
  ]);
  expect(described.HyperParameters).toMatchObject({
    k: '2',
    feature_dim: '2',
    extra_center_factor: 'auto'
  });

  // A clone has the channels of the job, as they were.
  await job.press('Clone');
  await expect(
    studio.screen.getByText(/groups\/input\/test\/test\.csv/)
  ).toBeVisible();
  await expect(train.start).toBeEnabled();
});
