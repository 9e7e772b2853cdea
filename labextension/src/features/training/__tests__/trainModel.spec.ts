import { FakeClient, trans } from '../../../testing/fakeClient';
import type { Answers } from '../../../testing/fakeClient';
import type { IChannelRequest } from '../../../api/client';
import { BottegaError } from '../../../api/request';
import { TrainModel } from '../trainModel';
import { answers, CHURN, FILES, job } from './fixtures';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** A model whose form has been shown. */
async function shown(more: Answers = {}) {
  const client = new FakeClient(answers(more));
  const channels: IChannelRequest[] = [];
  client.previewFile = path =>
    path.endsWith('.csv')
      ? Promise.resolve(CHURN)
      : Promise.reject(new Error(`No file ${path}.`));
  client.prepareChannel = request => {
    channels.push(request);
    return Promise.resolve({
      channel: {
        ChannelName: request.name,
        DataSource: {
          S3DataSource: {
            S3DataType: 'S3Prefix',
            S3Uri: `s3://bottega-data/${request.prefix}/${request.name}/`
          }
        }
      },
      columns: ['tenure', 'charges'],
      columns_uri:
        request.name === 'train' ? 's3://bottega-data/columns.json' : null
    });
  };
  const model = new TrainModel({
    client,
    files: FILES,
    trans,
    instanceType: 'ml.m5.xlarge',
    now: () => new Date(2026, 10, 26),
    random: () => 0
  });
  await model.load();
  await settle();
  return { client, channels, model };
}

/** Let everything happen that waits for a moment to pass. */
async function settle(): Promise<void> {
  await jest.runAllTimersAsync();
}

describe('a new form', () => {
  it('begins with the first algorithm and the size of the settings', async () => {
    const { model } = await shown();
    expect(model.draft).toMatchObject({
      name: 'xgboost-2026-11-26-000',
      trainer: { kind: 'builtin', image: 'xgboost' },
      hyperparameters: { num_round: '100' },
      instanceType: 'ml.m5.xlarge'
    });
    expect(model.canStart).toBe(false);
    expect(model.findings.map(item => item.Field)).toEqual([
      'InputDataConfig.train'
    ]);
  });

  it('says why it cannot begin', async () => {
    const { model } = await shown({
      'bottega:ListAlgorithms': () => {
        throw new Error('The studio is away.');
      }
    });
    expect(model.catalog).toBeNull();
    expect(model.failure).toMatchObject({
      what: 'load',
      error: { message: 'The studio is away.' }
    });
  });
});

describe('a form that is filled in', () => {
  it('previews the data, and can start when nothing is wrong', async () => {
    const { model } = await shown();
    model.setSource('train', { kind: 'file', path: 'churn.csv' });
    expect(model.preview('train').state).toBe('loading');
    await settle();
    expect(model.preview('train')).toEqual({ state: 'ready', data: CHURN });
    expect(model.canStart).toBe(false);
    model.edit({ target: 'churn' });
    await settle();
    expect(model.findings).toEqual([]);
    expect(model.canStart).toBe(true);
  });

  it('shows the preview of the source chosen last', async () => {
    const { client, model } = await shown();
    let answerFirst: (() => void) | undefined;
    client.previewFile = path =>
      path === 'slow.csv'
        ? new Promise(resolve => {
            answerFirst = () => resolve({ ...CHURN, TotalBytes: 1 });
          })
        : Promise.resolve(CHURN);
    model.setSource('train', { kind: 'file', path: 'slow.csv' });
    await settle();
    model.setSource('train', { kind: 'file', path: 'fast.csv' });
    await settle();
    answerFirst?.();
    await settle();
    expect(model.preview('train')).toEqual({ state: 'ready', data: CHURN });
  });

  it('asks the server once for what is typed in one go', async () => {
    const { client, model } = await shown();
    client.calls.length = 0;
    for (const name of ['c', 'ch', 'churn-9']) {
      model.edit({ name });
    }
    await settle();
    const checks = client.requests('bottega:CheckTrainingJob');
    expect(checks).toHaveLength(1);
    expect(checks[0]?.Request).toMatchObject({ TrainingJobName: 'churn-9' });
  });

  it('is stopped by what the server finds, but not by its warnings', async () => {
    let severity: 'Error' | 'Warning' = 'Warning';
    const { model } = await shown({
      'bottega:CheckTrainingJob': () => ({
        Findings: [
          { Severity: severity, Field: 'RoleArn', Message: 'Another account.' }
        ]
      })
    });
    model.setSource('train', { kind: 'file', path: 'churn.csv' });
    model.edit({ target: 'churn' });
    await settle();
    expect(model.findings.map(item => item.Message)).toEqual([
      'Another account.'
    ]);
    expect(model.canStart).toBe(true);
    severity = 'Error';
    model.checkAgain();
    await settle();
    expect(model.canStart).toBe(false);
  });

  it('says when the server cannot check', async () => {
    const { model } = await shown({
      'bottega:CheckTrainingJob': () => {
        throw new Error('Too busy.');
      }
    });
    expect(model.checkProblem?.message).toBe('Too busy.');
    expect(model.isChecking).toBe(false);
  });

  it('takes a file of the computer by way of the store', async () => {
    const { client, model } = await shown();
    const keys: string[] = [];
    client.upload = (bucket, key) => {
      keys.push(key);
      return Promise.resolve(`s3://${bucket}/${key}`);
    };
    await model.upload('train', new File(['a,b'], 'mine.csv'));
    await settle();
    expect(keys).toEqual(['uploads/data-2026-11-26-000/mine.csv']);
    expect(model.draft.sources['train']).toEqual({
      kind: 's3',
      uri: 's3://bottega-data/uploads/data-2026-11-26-000/mine.csv'
    });
    expect(client.requests('bottega:PreviewData')).toHaveLength(1);
  });

  it('forgets values of another algorithm', async () => {
    const { model } = await shown();
    model.edit({ hyperparameters: { num_round: '7', eta: '0.1' } });
    const script = {
      kind: 'script' as const,
      image: 'python',
      script: { kind: 'file' as const, path: '', folder: '' },
      metrics: {}
    };
    model.setTrainer(script);
    expect(model.draft.hyperparameters).toEqual({});
    model.edit({ hyperparameters: { trees: '3' } });
    model.setTrainer({ ...script, image: 'scikit-learn' });
    expect(model.draft.hyperparameters).toEqual({ trees: '3' });
    model.setTrainer({ kind: 'builtin', image: 'xgboost' });
    expect(model.draft.hyperparameters).toEqual({ num_round: '100' });
  });
});

describe('the start', () => {
  async function ready(more: Answers = {}) {
    const found = await shown(more);
    found.model.setSource('train', { kind: 'file', path: 'churn.csv' });
    found.model.setSource('validation', { kind: 'file', path: 'valid.csv' });
    found.model.edit({ target: 'churn', name: 'churn-1' });
    await settle();
    return found;
  }

  it('brings the data, checks, and creates the job', async () => {
    const { client, channels, model } = await ready();
    const stages: string[] = [];
    model.changed.connect(() => {
      if (model.stage && stages.at(-1) !== model.stage) {
        stages.push(model.stage);
      }
    });
    expect(await model.start()).toBe('churn-1');
    expect(stages).toEqual(['sending', 'checking', 'creating']);
    expect(channels).toEqual([
      {
        source: { path: 'churn.csv' },
        name: 'train',
        target: 'churn',
        prefix: 'churn-1/input',
        algorithm: 'xgboost'
      },
      {
        source: { path: 'valid.csv' },
        name: 'validation',
        target: 'churn',
        prefix: 'churn-1/input',
        algorithm: 'xgboost',
        columns: ['tenure', 'charges']
      }
    ]);
    const [request] = client.requests('sagemaker:CreateTrainingJob');
    expect(request).toMatchObject({
      TrainingJobName: 'churn-1',
      Tags: [
        { Key: 'bottega:columns', Value: 's3://bottega-data/columns.json' }
      ]
    });
    expect(request?.InputDataConfig?.map(item => item.ChannelName)).toEqual([
      'train',
      'validation'
    ]);
    expect(model.stage).toBeNull();
    expect(model.givenName).toBe('');
  });

  it('creates nothing when the last check finds an error', async () => {
    let refuse = false;
    const { client, model } = await ready({
      'bottega:CheckTrainingJob': () => ({
        Findings: refuse
          ? [
              {
                Severity: 'Error',
                Field: 'InputDataConfig.train',
                Message: 'The label is no number.'
              }
            ]
          : []
      })
    });
    refuse = true;
    expect(await model.start()).toBeNull();
    expect(client.requests('sagemaker:CreateTrainingJob')).toEqual([]);
    expect(model.findings.map(item => item.Message)).toEqual([
      'The label is no number.'
    ]);
    expect(model.canStart).toBe(false);
    await settle();
    expect(model.findings).toHaveLength(1);
    refuse = false;
    model.edit({ target: 'tenure' });
    await settle();
    expect(model.canStart).toBe(true);
  });

  it('says why data cannot be sent, and can be tried again', async () => {
    const { client, model } = await ready();
    client.prepareChannel = () =>
      Promise.reject(new Error("channel 'train': not numeric: city"));
    expect(await model.start()).toBeNull();
    expect(model.failure).toMatchObject({
      what: 'start',
      error: { message: "channel 'train': not numeric: city" }
    });
    expect(client.requests('sagemaker:CreateTrainingJob')).toEqual([]);
    await settle();
    expect(model.canStart).toBe(true);
  });

  it('creates nothing for a form that was closed meanwhile', async () => {
    const { client, model } = await ready();
    const started = model.start();
    model.dispose();
    expect(await started).toBeNull();
    expect(client.requests('sagemaker:CreateTrainingJob')).toEqual([]);
  });

  it('brings a script with its folder', async () => {
    const { client, model } = await shown();
    const sources: unknown[] = [];
    client.uploadSource = request => {
      sources.push(request);
      return Promise.resolve({
        program: 'train.py',
        uri: 's3://b/code.tar.gz'
      });
    };
    model.setTrainer({
      kind: 'script',
      image: 'python',
      script: { kind: 'file', path: 'src/train.py', folder: 'src' },
      metrics: {}
    });
    model.edit({ name: 'mine' });
    await settle();
    expect(await model.start()).toBe('mine');
    expect(sources).toEqual([
      { path: 'src/train.py', source_dir: 'src', prefix: 'mine/source' }
    ]);
    expect(
      client.requests('sagemaker:CreateTrainingJob')[0]?.HyperParameters
    ).toEqual({
      sagemaker_program: 'train.py',
      sagemaker_submit_directory: 's3://b/code.tar.gz'
    });
  });
});

describe('other algorithms', () => {
  it('get their channels, each in its form', async () => {
    const { channels, client, model } = await shown();
    model.setTrainer({ kind: 'builtin', image: 'kmeans' });
    expect(model.draft.hyperparameters).toEqual({ k: '10' });
    model.setSource('train', { kind: 'file', path: 'a.csv' });
    model.addChannel('test');
    expect(model.draft.sources['test']).toBeNull();
    model.setSource('test', {
      kind: 's3',
      uri: 's3://b/rows/',
      contentType: 'text/csv'
    });
    model.edit({
      name: 'groups',
      hyperparameters: { k: '2', feature_dim: '3' }
    });
    await settle();
    expect(model.findings).toEqual([]);
    expect(await model.start()).toBe('groups');
    expect(channels).toEqual([
      {
        source: { path: 'a.csv' },
        name: 'train',
        target: null,
        prefix: 'groups/input',
        algorithm: 'kmeans'
      },
      {
        source: { uri: 's3://b/rows/' },
        name: 'test',
        target: null,
        prefix: 'groups/input',
        algorithm: 'kmeans',
        content_type: 'text/csv',
        columns: ['tenure', 'charges']
      }
    ]);
    const [request] = client.requests('sagemaker:CreateTrainingJob');
    expect(request?.InputDataConfig?.[1]?.ContentType).toBe('text/csv');
  });

  it('keep what was chosen for a channel until it is left out', async () => {
    const { model } = await shown();
    model.setSource('validation', { kind: 'file', path: 'v.csv' });
    model.setTrainer({ kind: 'builtin', image: 'kmeans' });
    expect(model.planned()?.InputDataConfig).toBeUndefined();
    model.setTrainer({ kind: 'builtin', image: 'xgboost' });
    expect(model.planned()?.InputDataConfig).toHaveLength(1);
    model.removeChannel('validation');
    expect(model.draft.sources).toEqual({});
    await settle();
    expect(model.preview('validation').state).toBe('none');
  });

  it('are not started while something has to be installed', async () => {
    const { model } = await shown();
    model.setTrainer({ kind: 'builtin', image: 'seq2seq' });
    for (const channel of ['train', 'validation', 'vocab']) {
      model.setSource(channel, { kind: 's3', uri: `s3://b/${channel}/` });
    }
    await settle();
    expect(model.findings.map(item => item.Message)).toEqual([
      'The algorithm seq2seq needs torch.'
    ]);
    expect(model.canStart).toBe(false);
  });

  it('are shown what is in a folder', async () => {
    const { client, model } = await shown();
    model.setTrainer({ kind: 'builtin', image: 'image-classification' });
    model.setSource('train', { kind: 'file', path: 'pictures/' });
    await settle();
    expect(model.preview('train')).toEqual({
      state: 'folder',
      folder: { files: 2, folders: 1, bytes: 2048 }
    });
    expect(model.canStart).toBe(true);
    client.previewFile = () =>
      Promise.reject(new BottegaError('NoSuchFile', 'It is gone.', 404));
    model.setSource('train', { kind: 'file', path: 'gone/' });
    await settle();
    expect(model.preview('train').state).toBe('error');
    expect(model.canStart).toBe(false);
  });
});

describe('a clone', () => {
  it('is read with its tags, and shows the data it kept', async () => {
    const { client, model } = await shown({
      'sagemaker:DescribeTrainingJob': () => job(),
      'sagemaker:ListTags': () => ({ Tags: [{ Key: 'team', Value: 'blue' }] }),
      'bottega:PreviewData': () => ({ ...CHURN, HasHeader: false })
    });
    await model.clone('churn-0');
    await settle();
    expect(client.requests('bottega:PreviewData')).toEqual([
      {
        S3Uri: 's3://bottega-data/churn-0/input/train/train.csv',
        MaxRows: 20,
        ContentType: 'text/csv'
      }
    ]);
    expect(model.canStart).toBe(true);
    expect(await model.start()).toBe('xgboost-2026-11-26-000');
    const [request] = client.requests('sagemaker:CreateTrainingJob');
    expect(request?.Tags).toEqual([{ Key: 'team', Value: 'blue' }]);
    expect(request?.InputDataConfig).toEqual(job().InputDataConfig);
  });

  it('says why a job cannot be cloned', async () => {
    const { model } = await shown({
      'sagemaker:DescribeTrainingJob': () => {
        throw new Error('Requested resource not found.');
      }
    });
    await model.clone('gone');
    expect(model.failure).toMatchObject({
      what: 'clone',
      error: { message: 'Requested resource not found.' }
    });
  });
});
