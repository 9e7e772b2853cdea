import { nullTranslator } from '@jupyterlab/translation';
import {
  configure,
  fireEvent,
  render,
  screen,
  waitFor
} from '@testing-library/react';
import { axe } from 'jest-axe';

import type { Answers } from '../../../testing/fakeClient';
import { screenProps } from '../../../testing/fakeClient';
import { TrainScreen } from '../screen';
import { answers, CHURN, FILES } from './fixtures';

configure({ defaultHidden: true });

beforeAll(async () => {
  Element.prototype.scrollIntoView = () => undefined;
  await import('../../../shared/forms/rjsfForm');
}, 60_000);

function show(parameters: Record<string, string>, more: Answers = {}) {
  const props = screenProps(answers(more), { parameters });
  props.client.previewFile = () => Promise.resolve(CHURN);
  props.client.prepareChannel = request =>
    Promise.resolve({
      channel: {
        ChannelName: request.name,
        DataSource: {
          S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://b/train/' }
        }
      },
      columns: [],
      columns_uri: 's3://b/columns.json'
    });
  const { container } = render(
    <TrainScreen {...props} files={FILES} translator={nullTranslator} />
  );
  return { ...props, container };
}

describe('the form of a search', () => {
  it('tells a screen reader what is wrong with a range', async () => {
    show({ file: 'churn.csv', tune: '1' });
    await screen.findByRole('heading', { name: 'Tune a model' });
    const low = await screen.findByLabelText('eta: lowest');
    expect(low.getAttribute('aria-describedby')).toBeNull();
    fireEvent.change(low, { target: { value: '9' } });
    await waitFor(() => {
      const said = document.getElementById(
        low.getAttribute('aria-describedby') ?? ''
      );
      expect(said?.textContent).toMatch(/lowest value of eta, 9, must be less/);
    });
  });

  it('starts a tuning job with the ranges, and opens it', async () => {
    const { client, studio, container } = show(
      { file: 'churn.csv', tune: '1' },
      {
        'sagemaker:CreateHyperParameterTuningJob': () => ({
          HyperParameterTuningJobArn: 'arn'
        })
      }
    );
    await screen.findByRole('heading', { name: 'Tune a model' });
    fireEvent.click(await screen.findByRole('button', { name: 'churn' }));
    await screen.findAllByText(/validation:rmse is reported only with data/);
    fireEvent.change(screen.getByLabelText('Objective metric'), {
      target: { value: 'train:rmse' }
    });
    fireEvent.change(screen.getByLabelText('eta: lowest'), {
      target: { value: '0.9' }
    });
    await screen.findByText(
      'The lowest value of eta, 0.9, must be less than the highest, 0.5.',
      { selector: 'td' }
    );
    fireEvent.change(screen.getByLabelText('eta: lowest'), {
      target: { value: '0.2' }
    });
    fireEvent.change(screen.getByLabelText('Search another hyperparameter'), {
      target: { value: 'booster' }
    });
    expect(
      (
        screen.getByLabelText(
          'booster: values, with commas'
        ) as HTMLInputElement
      ).value
    ).toBe('gbtree, dart');
    fireEvent.change(screen.getByLabelText('Trials'), {
      target: { value: '5' }
    });
    expect(screen.queryByLabelText('Experiment')).toBeNull();
    expect(screen.queryByRole('spinbutton', { name: 'eta' })).toBeNull();
    expect((await axe(container)).violations).toEqual([]);
    const start = screen.getByRole('button', { name: 'Tune' });
    await waitFor(() =>
      expect((start as HTMLButtonElement).disabled).toBe(false)
    );
    fireEvent.click(start);
    await waitFor(() => expect(studio.opened).toHaveLength(1));
    const [request] = client.requests(
      'sagemaker:CreateHyperParameterTuningJob'
    );
    expect(studio.opened).toEqual([
      `tuning/${request?.HyperParameterTuningJobName}`
    ]);
    expect(request?.HyperParameterTuningJobConfig.ResourceLimits).toEqual({
      MaxNumberOfTrainingJobs: 5,
      MaxParallelTrainingJobs: 2
    });
    expect(
      request?.HyperParameterTuningJobConfig.ParameterRanges
    ).toMatchObject({
      ContinuousParameterRanges: [{ Name: 'eta', MinValue: '0.2' }],
      CategoricalParameterRanges: [{ Name: 'booster' }]
    });
    expect(client.requests('sagemaker:CreateTrainingJob')).toEqual([]);
  });

  it('is switched on and off, and gives the value back', async () => {
    show({ file: 'churn.csv' });
    const tune = await screen.findByLabelText(/^Tune this/);
    await screen.findByRole('spinbutton', { name: 'eta' });
    fireEvent.click(tune);
    expect(screen.queryByRole('spinbutton', { name: 'eta' })).toBeNull();
    fireEvent.click(
      screen.getByRole('button', { name: 'Remove the range of eta' })
    );
    await screen.findByRole('spinbutton', { name: 'eta' });
    await screen.findAllByText(
      'Choose at least one hyperparameter to search for.'
    );
    fireEvent.click(tune);
    await screen.findByRole('heading', { name: 'Train a model' });
  });

  it('of a script takes ranges of any name', async () => {
    show({ tune: '1' });
    fireEvent.click(
      await screen.findByRole('radio', { name: 'Your own script' })
    );
    fireEvent.change(screen.getByLabelText('Hyperparameter to search'), {
      target: { value: 'rate' }
    });
    fireEvent.change(screen.getByLabelText('Kind of values'), {
      target: { value: 'Categorical' }
    });
    fireEvent.click(screen.getByRole('button', { name: 'Add range' }));
    screen.getByLabelText('rate: values, with commas');
    fireEvent.change(screen.getByLabelText('Strategy'), {
      target: { value: 'Hyperband' }
    });
    screen.getByLabelText('Fewest epochs');
    screen.getByLabelText('Most epochs');
    expect(screen.queryByLabelText(/^Stop trials early/)).toBeNull();
  });
});
