import { nullTranslator } from '@jupyterlab/translation';
import {
  act,
  configure,
  render,
  screen,
  waitFor,
  within
} from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import type { Answers } from '../../../testing/fakeClient';
import { screenProps } from '../../../testing/fakeClient';
import { TrainScreen } from '../screen';
import { answers, CHURN, FILES, job } from './fixtures';

configure({ defaultHidden: true });

beforeAll(async () => {
  // jsdom lays nothing out.
  Element.prototype.scrollIntoView = () => undefined;
  // The form library is large; no test should wait for it within its own time.
  await import('../../../shared/forms/rjsfForm');
}, 60_000);

function show(
  parameters: Record<string, string> = {},
  more: Answers = {}
): ReturnType<typeof screenProps> & {
  container: HTMLElement;
  open: (parameters: Record<string, string>) => void;
} {
  const props = screenProps(answers(more), { parameters });
  props.client.previewFile = path =>
    path.endsWith('.csv')
      ? Promise.resolve(CHURN)
      : Promise.reject(new Error(`There is no file ${path}.`));
  props.client.prepareChannel = request =>
    Promise.resolve({
      channel: { ChannelName: request.name },
      columns: [],
      columns_uri: null
    });
  const view = (place: Record<string, string>): JSX.Element => (
    <TrainScreen
      {...props}
      parameters={place}
      files={FILES}
      translator={nullTranslator}
    />
  );
  const { container, rerender } = render(view(parameters));
  return { ...props, container, open: place => rerender(view(place)) };
}

const trainButton = (): HTMLElement =>
  screen.getByRole('button', { name: 'Train' });
const panel = (): HTMLElement =>
  screen.getByRole('complementary', { name: 'Before the start' });

/** Until nothing is being read or checked any more. */
async function settled(): Promise<void> {
  await waitFor(() => expect(panel()).toHaveProperty('dataset.state', 'ready'));
}

describe('the training form', () => {
  it('goes from a file to a job', async () => {
    const user = userEvent.setup();
    const { studio, client } = show({ file: 'data/churn.csv' });
    await user.click(await screen.findByRole('button', { name: 'churn' }));
    expect(
      screen.getByRole('button', { name: 'churn', pressed: true })
    ).toBeTruthy();
    expect(screen.getByLabelText('Label column')).toHaveProperty(
      'value',
      'churn'
    );
    await settled();
    await user.click(trainButton());
    await waitFor(() => expect(studio.opened).toHaveLength(1));
    const [request] = client.requests('sagemaker:CreateTrainingJob');
    expect(studio.opened).toEqual([`jobs/${request?.TrainingJobName ?? ''}`]);
  });

  it('says what stands in the way, and leads there', async () => {
    const user = userEvent.setup();
    show({ file: 'data/churn.csv' });
    await screen.findByRole('button', { name: 'churn' });
    await settled();
    expect(trainButton()).toHaveProperty('disabled', true);
    await user.click(
      within(panel()).getByRole('button', { name: /Choose the label column/ })
    );
    expect(document.activeElement).toBe(screen.getByLabelText('Label column'));
  });

  it('leads to a folded hyperparameter too', async () => {
    const user = userEvent.setup();
    show(
      {},
      {
        'bottega:CheckTrainingJob': () => ({
          Findings: [
            {
              Severity: 'Warning',
              Field: 'RoleArn',
              Message: 'Another account.'
            },
            {
              Severity: 'Warning',
              Field: 'HyperParameters.subsample',
              Message: 'Rather small.'
            }
          ]
        })
      }
    );
    await user.click(
      await screen.findByRole('button', { name: /Rather small/ })
    );
    expect(document.activeElement).toBe(screen.getByLabelText('subsample'));
  });

  it('has fields for what the algorithm takes, and shows more when more counts', async () => {
    const user = userEvent.setup();
    show();
    const objective = await screen.findByLabelText('objective');
    expect(screen.queryByLabelText(/num_class/)).toBeNull();
    await user.selectOptions(objective, 'multi:softmax');
    await user.type(await screen.findByLabelText(/num_class/), '3');
    expect(screen.getByLabelText(/num_class/)).toHaveProperty('value', '3');
    expect(screen.getByText(/What eta is\. Range: \[0,1\]/)).toBeTruthy();
    expect(screen.getByLabelText('eta')).toHaveProperty(
      'placeholder',
      'default: 0.3'
    );
  });

  it('takes a script, with what it needs', async () => {
    const user = userEvent.setup();
    const { client, studio } = show();
    client.uploadSource = () =>
      Promise.resolve({ program: 'train.py', uri: 's3://b/c.tar.gz' });
    await user.click(
      await screen.findByRole('radio', { name: 'Your own script' })
    );
    await user.selectOptions(screen.getByLabelText('Framework'), 'python');
    await user.type(screen.getByLabelText('Script'), 'train.py');
    await user.click(
      screen.getByRole('button', { name: 'Add hyperparameter' })
    );
    await user.type(screen.getByLabelText('hyperparameter 1: name'), 'trees');
    await user.type(screen.getByLabelText('hyperparameter trees: value'), '5');
    await settled();
    await user.click(trainButton());
    await waitFor(() => expect(studio.opened).toHaveLength(1));
    expect(client.requests('sagemaker:CreateTrainingJob')).toMatchObject([
      {
        AlgorithmSpecification: { TrainingImage: 'python' },
        HyperParameters: { trees: '5', sagemaker_program: 'train.py' }
      }
    ]);
  });

  it('chooses a file in the dialog', async () => {
    const user = userEvent.setup();
    show();
    await user.click(
      await screen.findByRole('button', { name: 'Browse: Training data' })
    );
    expect(await screen.findByDisplayValue('data/churn.csv')).toBeTruthy();
  });

  it('clones a job, also when it is there already', async () => {
    const { open } = show(
      { file: 'data/churn.csv' },
      {
        'sagemaker:DescribeTrainingJob': () => job(),
        'sagemaker:ListTags': () => ({ Tags: [] })
      }
    );
    await screen.findByRole('button', { name: 'churn' });
    open({ file: 'data/churn.csv', clone: 'churn-0' });
    expect(
      await screen.findByText('s3://bottega-data/churn-0/input/train/train.csv')
    ).toBeTruthy();
    expect(screen.getByLabelText('Instances')).toHaveProperty('value', '2');
    expect(screen.getByLabelText(/learning_rate_x: value/)).toBeTruthy();
    await settled();
    expect(trainButton()).toHaveProperty('disabled', false);
  });

  it('gives the Python that does the same', async () => {
    const user = userEvent.setup();
    const { studio } = show({ file: 'data/churn.csv' });
    await screen.findByRole('button', { name: 'churn' });
    await user.click(screen.getByRole('button', { name: 'Open in notebook' }));
    expect(studio.notebooks[0]?.code).toContain('data="data/churn.csv"');
  });

  it('asks again when a job takes or frees a slot, only while it can be seen', async () => {
    const { client, frame } = show();
    await screen.findByText('Takes 1 of 2 free slots.');
    await settled();
    client.answers['bottega:CheckTrainingJob'] = () => ({
      Findings: [],
      SlotsWanted: 1,
      SlotsFree: 0,
      JobsAhead: 3
    });
    frame.show(false);
    const before = client.requests('bottega:CheckTrainingJob').length;
    act(() => client.events.happen({ Kind: 'TrainingJob', Name: 'other' }));
    expect(panel().dataset['state']).toBe('ready');
    act(() => frame.show(true));
    expect(await screen.findByText('It waits: 3 jobs are ahead.')).toBeTruthy();
    expect(client.requests('bottega:CheckTrainingJob')).toHaveLength(
      before + 1
    );
  });

  it('is not disturbed by the metrics of the jobs that run', async () => {
    const { client } = show();
    await screen.findByText('Takes 1 of 2 free slots.');
    await settled();
    act(() =>
      client.events.happen({
        Type: 'MetricsChanged',
        Kind: 'TrainingJob',
        Name: 'other'
      })
    );
    expect(panel().dataset['state']).toBe('ready');
  });

  it('can be tried again when the studio does not answer', async () => {
    const user = userEvent.setup();
    const { client } = show(
      {},
      {
        'bottega:ListAlgorithms': () => {
          throw new Error('The studio is away.');
        }
      }
    );
    expect(await screen.findByText('The studio is away.')).toBeTruthy();
    Object.assign(client.answers, answers());
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(
      await screen.findByRole('radio', { name: 'XGBoost', checked: true })
    ).toBeTruthy();
  });

  it('takes K-Means: no label, a number or a word, a further channel', async () => {
    const user = userEvent.setup();
    const { client, container, studio } = show({ file: 'data/churn.csv' });
    await user.click(await screen.findByRole('radio', { name: 'K-Means' }));
    expect(screen.queryByLabelText('Label column')).toBeNull();
    expect(screen.getByText(/There is no label/)).toBeTruthy();
    expect(screen.queryByText('Add validation data')).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Add channel' }));
    const test = screen.getByRole('combobox', { name: 'Channel test' });
    expect(document.activeElement).toBe(test);
    await user.type(test, 'data/more.csv');
    expect(screen.getByText('Rows to test on.')).toBeTruthy();

    const factor = await screen.findByLabelText('extra_center_factor');
    await user.type(factor, 'lots');
    expect(
      (await screen.findAllByText(/extra_center_factor cannot be lots/)).length
    ).toBeGreaterThan(1);
    await user.clear(factor);
    await user.type(factor, 'auto');
    await waitFor(() =>
      expect(
        screen.getAllByText(/feature_dim must be given: the data has 3/)
      ).toHaveLength(2)
    );
    await user.type(screen.getByLabelText(/^feature_dim/), '3');
    await settled();
    expect((await axe(container)).violations).toEqual([]);
    await user.click(trainButton());
    await waitFor(() => expect(studio.opened).toHaveLength(1));
    const [request] = client.requests('sagemaker:CreateTrainingJob');
    expect(request?.HyperParameters).toEqual({
      k: '10',
      feature_dim: '3',
      extra_center_factor: 'auto'
    });
    expect(request?.InputDataConfig?.map(item => item.ChannelName)).toEqual([
      'train',
      'test'
    ]);
  });

  it('shows what cannot run yet, and why', async () => {
    const user = userEvent.setup();
    show();
    const card = await screen.findByRole('radio', {
      name: 'Sequence-to-Sequence'
    });
    expect(card).toHaveProperty('disabled', true);
    expect(screen.getByText('The algorithm seq2seq needs torch.')).toBeTruthy();
    await user.click(card);
    expect(
      screen.getByRole('radio', { name: 'XGBoost', checked: true })
    ).toBeTruthy();
  });

  it('lets the content type be said, and says what a folder holds', async () => {
    const user = userEvent.setup();
    show();
    await user.click(
      await screen.findByRole('radio', { name: 'Image Classification' })
    );
    await user.type(
      screen.getByRole('combobox', { name: 'Training data' }),
      'pictures/'
    );
    expect(
      await screen.findByText(/^folder · 1 folder in it · 2 files · 2/)
    ).toBeTruthy();
    const type = screen.getByLabelText('Training data: content type');
    await user.selectOptions(type, 'application/x-image');
    expect(type).toHaveProperty('value', 'application/x-image');
    await user.type(
      screen.getByRole('combobox', { name: 'Training data' }),
      'more/'
    );
    expect(type).toHaveProperty('value', 'application/x-image');
  });

  it('has nothing that a screen reader would stumble over', async () => {
    const user = userEvent.setup();
    const { container } = show({ file: 'data/churn.csv' });
    await user.click(await screen.findByText('All hyperparameters'));
    await screen.findByLabelText('subsample');
    await screen.findByRole('button', { name: 'churn' });
    await settled();
    expect((await axe(container)).violations).toEqual([]);
    await user.click(screen.getByRole('radio', { name: 'Your own script' }));
    await settled();
    expect((await axe(container)).violations).toEqual([]);
  });
});
