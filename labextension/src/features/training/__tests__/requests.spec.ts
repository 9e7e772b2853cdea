import { cloneDraft } from '../clone';
import type { IDraft } from '../draft';
import { algorithmOf } from '../draft';
import { trainingCode } from '../python';
import type { IPrepared } from '../requests';
import {
  createRequest,
  freshName,
  isJobName,
  nameBase,
  plannedInput
} from '../requests';
import { CATALOG, filledDraft, job, STUDIO, XGBOOST } from './fixtures';

const CHANNEL = {
  ChannelName: 'train',
  ContentType: 'text/csv',
  DataSource: {
    S3DataSource: {
      S3DataType: 'S3Prefix' as const,
      S3Uri: 's3://bottega-data/churn-1/input/train/train.csv'
    }
  }
};
const NOTHING: IPrepared = { channels: [], columnsUri: null, code: null };

const planned = (draft: IDraft): string =>
  trainingCode(
    draft,
    CATALOG,
    STUDIO,
    createRequest(
      draft,
      CATALOG,
      STUDIO,
      plannedInput(draft, algorithmOf(draft, CATALOG), STUDIO)
    )
  );

describe('the request', () => {
  it('of a built-in algorithm', () => {
    const draft = filledDraft({
      hyperparameters: { num_round: '100', eta: '0.1', rate_drop: '0.5' },
      experiment: 'churn'
    });
    expect(
      createRequest(draft, CATALOG, STUDIO, {
        channels: [CHANNEL],
        columnsUri: 's3://bottega-data/churn-1/input/columns.json',
        code: null
      })
    ).toEqual({
      TrainingJobName: 'churn-1',
      RoleArn: 'arn:aws:iam::000000000000:role/bottega',
      AlgorithmSpecification: {
        TrainingImage: 'xgboost',
        TrainingInputMode: 'File'
      },
      HyperParameters: { num_round: '100', eta: '0.1' },
      InputDataConfig: [CHANNEL],
      OutputDataConfig: { S3OutputPath: 's3://bottega-data/' },
      ResourceConfig: {
        InstanceType: 'ml.m5.large',
        InstanceCount: 1,
        VolumeSizeInGB: 30
      },
      StoppingCondition: { MaxRuntimeInSeconds: 86400 },
      ExperimentConfig: { ExperimentName: 'churn' },
      Tags: [
        {
          Key: 'bottega:columns',
          Value: 's3://bottega-data/churn-1/input/columns.json'
        }
      ]
    });
  });

  it('of a script', () => {
    const draft = filledDraft({
      sources: {},
      trainer: {
        kind: 'script',
        image: 'scikit-learn',
        script: { kind: 'file', path: 'src/train.py', folder: 'src' },
        metrics: { auc: 'auc=([0-9.]+)' }
      },
      hyperparameters: { trees: '10' }
    });
    expect(
      createRequest(draft, CATALOG, STUDIO, {
        ...NOTHING,
        code: {
          program: 'train.py',
          uri: 's3://bottega-data/churn-1/source/sourcedir.tar.gz'
        }
      })
    ).toEqual({
      TrainingJobName: 'churn-1',
      RoleArn: STUDIO.roleArn,
      AlgorithmSpecification: {
        TrainingImage: 'scikit-learn',
        TrainingInputMode: 'File',
        MetricDefinitions: [{ Name: 'auc', Regex: 'auc=([0-9.]+)' }]
      },
      HyperParameters: {
        trees: '10',
        sagemaker_program: 'train.py',
        sagemaker_submit_directory:
          's3://bottega-data/churn-1/source/sourcedir.tar.gz'
      },
      OutputDataConfig: { S3OutputPath: 's3://bottega-data/' },
      ResourceConfig: {
        InstanceType: 'ml.m5.large',
        InstanceCount: 1,
        VolumeSizeInGB: 30
      },
      StoppingCondition: { MaxRuntimeInSeconds: 86400 }
    });
  });

  it('is planned with where the data will be', () => {
    const input = plannedInput(
      filledDraft({
        sources: {
          train: { kind: 'file', path: 'data/churn.csv' },
          validation: { kind: 's3', uri: 's3://else/valid/' }
        }
      }),
      XGBOOST,
      STUDIO
    );
    expect(
      input.channels.map(channel => channel.DataSource.S3DataSource?.S3Uri)
    ).toEqual(['s3://bottega-data/churn-1/input/train/', 's3://else/valid/']);
  });
});

describe('a clone', () => {
  it('does the same under another name', () => {
    const tags = [
      { Key: 'bottega:columns', Value: 's3://bottega-data/c.json' },
      { Key: 'team', Value: 'blue' },
      { Key: 'aws:internal', Value: 'x' }
    ];
    const draft = { ...cloneDraft(job(), tags, CATALOG), name: 'churn-2' };
    const original = job();
    expect(
      createRequest(
        draft,
        CATALOG,
        STUDIO,
        plannedInput(draft, algorithmOf(draft, CATALOG), STUDIO)
      )
    ).toEqual({
      TrainingJobName: 'churn-2',
      RoleArn: original.RoleArn,
      // The metrics of a built-in algorithm are its own, and refused when they are given.
      AlgorithmSpecification: {
        TrainingImage: 'xgboost',
        TrainingInputMode: 'File'
      },
      HyperParameters: original.HyperParameters,
      InputDataConfig: original.InputDataConfig,
      OutputDataConfig: original.OutputDataConfig,
      ResourceConfig: original.ResourceConfig,
      StoppingCondition: original.StoppingCondition,
      ExperimentConfig: original.ExperimentConfig,
      EnableNetworkIsolation: true,
      Environment: original.Environment,
      Tags: tags.slice(0, 2)
    });
  });

  it('of a script keeps its code, its metrics and further channels', () => {
    const channels = ['train', 'lookup'].map(name => ({
      ...CHANNEL,
      ChannelName: name
    }));
    const original = job({
      AlgorithmSpecification: {
        TrainingImage: 'scikit-learn',
        TrainingInputMode: 'File',
        MetricDefinitions: [{ Name: 'auc', Regex: 'auc=(.*)' }]
      },
      HyperParameters: {
        trees: '10',
        sagemaker_program: 'train.py',
        sagemaker_submit_directory: 's3://bottega-data/source.tar.gz'
      },
      InputDataConfig: channels
    });
    const draft = { ...cloneDraft(original, [], CATALOG), name: 'again' };
    const request = createRequest(
      draft,
      CATALOG,
      STUDIO,
      plannedInput(draft, algorithmOf(draft, CATALOG), STUDIO)
    );
    expect(request.AlgorithmSpecification).toEqual(
      original.AlgorithmSpecification
    );
    expect(request.HyperParameters).toEqual(original.HyperParameters);
    expect(request.InputDataConfig).toEqual(channels);
  });

  it('keeps how the data is read', () => {
    const piped = {
      ...CHANNEL,
      CompressionType: 'Gzip' as const,
      RecordWrapperType: 'RecordIO' as const,
      InputMode: 'Pipe' as const,
      ShuffleConfig: { Seed: 7 },
      DataSource: {
        S3DataSource: {
          ...CHANNEL.DataSource.S3DataSource,
          S3DataType: 'AugmentedManifestFile' as const,
          AttributeNames: ['source-ref', 'class']
        }
      }
    };
    const original = job({
      AlgorithmSpecification: {
        TrainingImage: 'xgboost',
        TrainingInputMode: 'FastFile'
      },
      InputDataConfig: [piped, { ...CHANNEL, ChannelName: 'spare' }]
    });
    const draft = { ...cloneDraft(original, [], CATALOG), name: 'again' };
    const request = createRequest(
      draft,
      CATALOG,
      STUDIO,
      plannedInput(draft, XGBOOST, STUDIO)
    );
    expect(request.AlgorithmSpecification).toEqual(
      original.AlgorithmSpecification
    );
    expect(request.InputDataConfig).toEqual(original.InputDataConfig);
    expect(planned(draft)).toContain('sagemaker.create_training_job(');
    // Other data is read in the same way; what it is made of is its own.
    const [other] = plannedInput(
      { ...draft, sources: { train: { kind: 's3', uri: 's3://b/p/' } } },
      XGBOOST,
      STUDIO
    ).channels;
    expect(other).toEqual({
      ChannelName: 'train',
      ContentType: 'text/csv',
      InputMode: 'Pipe',
      ShuffleConfig: { Seed: 7 },
      DataSource: {
        S3DataSource: {
          S3DataType: 'S3Prefix',
          S3Uri: 's3://b/p/',
          S3DataDistributionType: 'FullyReplicated'
        }
      }
    });
  });

  it('with other data forgets the order of the columns', () => {
    const draft = {
      ...cloneDraft(
        job(),
        [{ Key: 'bottega:columns', Value: 's3://old.json' }],
        CATALOG
      ),
      sources: { train: { kind: 'file' as const, path: 'new.csv' } }
    };
    expect(createRequest(draft, CATALOG, STUDIO, NOTHING).Tags).toBeUndefined();
  });

  it('of a job with its own entry point stays a script', () => {
    const original = job({
      AlgorithmSpecification: {
        TrainingImage: 'xgboost',
        TrainingInputMode: 'File',
        ContainerEntrypoint: ['python', 'x.py']
      }
    });
    const draft = { ...cloneDraft(original, [], CATALOG), name: 'again' };
    const request = createRequest(
      draft,
      CATALOG,
      STUDIO,
      plannedInput(draft, algorithmOf(draft, CATALOG), STUDIO)
    );
    expect(request.AlgorithmSpecification).toEqual(
      original.AlgorithmSpecification
    );
    expect(request.HyperParameters).toEqual(original.HyperParameters);
  });
});

describe('the name', () => {
  it('of a new job says what, when, and is its own', () => {
    const name = freshName('xgboost', new Date(2026, 10, 6), () => 0.5);
    expect(name).toBe('xgboost-2026-11-06-iii');
    expect(isJobName(name)).toBe(true);
  });

  it.each(['', '-a', 'a-', 'a_b', 'ä', 'a'.repeat(64)])(
    'cannot be %j',
    name => {
      expect(isJobName(name)).toBe(false);
    }
  );

  it.each(['__', 'über', 'x'.repeat(80)])('made of %j is allowed', base => {
    expect(isJobName(freshName(base, new Date(), () => 0.99))).toBe(true);
  });

  it('begins with the script', () => {
    expect(
      nameBase({
        kind: 'script',
        image: 'python',
        script: { kind: 'file', path: 'src/fit_all.py', folder: '' },
        metrics: {}
      })
    ).toBe('fit_all');
  });
});

describe('the Python', () => {
  it('is the call of the SDK that does the same', () => {
    expect(
      planned(
        filledDraft({
          sources: {
            train: { kind: 'file', path: 'data/churn.csv' },
            validation: { kind: 'file', path: 'data/valid.csv' }
          },
          hyperparameters: { num_round: '50' },
          maxRuntimeSeconds: 600,
          experiment: 'churn'
        })
      )
    ).toBe(`import bottega

session = bottega.connect()
job = session.train(
    algorithm="xgboost",
    data="data/churn.csv",
    validation="data/valid.csv",
    target="churn",
    hyperparameters={
        "num_round": "50",
    },
    instance_type="ml.m5.large",
    max_runtime=600,
    experiment="churn",
    name="churn-1",
)
`);
  });

  it('of a script names it, its folder and its metrics', () => {
    const code = planned(
      filledDraft({
        trainer: {
          kind: 'script',
          image: 'python',
          script: { kind: 'file', path: 'train.py', folder: 'src' },
          metrics: { auc: 'auc=(.*)' }
        }
      })
    );
    expect(code).toContain('script="train.py"');
    expect(code).toContain('source_dir="src"');
    expect(code).toContain('"auc": "auc=(.*)"');
    expect(code).not.toContain('target');
  });

  it('of a clone that asks for more than the SDK takes is the request', () => {
    const draft = { ...cloneDraft(job(), [], CATALOG), name: 'again' };
    const code = planned(draft);
    expect(code).toContain('sagemaker.create_training_job(');
    expect(code).toContain('EnableNetworkIsolation=True');
  });

  it('of a clone with other data says what the SDK leaves out', () => {
    const code = planned({
      ...cloneDraft(job(), [], CATALOG),
      name: 'again',
      sources: { train: { kind: 'file', path: 'new.csv' } }
    });
    expect(code).toMatch(
      /^# Not in this call: .*EnableNetworkIsolation.*\nimport bottega/
    );
    expect(code).toContain('data="new.csv"');
  });

  it('of a plain clone is the call of the SDK', () => {
    const original = job({
      EnableNetworkIsolation: false,
      OutputDataConfig: { S3OutputPath: 's3://bottega-data/' },
      ResourceConfig: {
        InstanceType: 'ml.m5.xlarge',
        InstanceCount: 2,
        VolumeSizeInGB: 30
      }
    });
    const tags = [
      { Key: 'bottega:columns', Value: 's3://bottega-data/c.json' }
    ];
    const draft = { ...cloneDraft(original, tags, CATALOG), name: 'again' };
    const code = planned(draft);
    expect(code).toContain('session.train(');
    expect(code).toContain('"bottega:columns": "s3://bottega-data/c.json"');
    expect(code).toContain('content_type="text/csv"');
    expect(code).toContain(
      'data="s3://bottega-data/churn-0/input/train/train.csv"'
    );
  });
});

describe('the Python of the other algorithms', () => {
  const images = (
    sources: IDraft['sources'],
    change: Partial<IDraft> = {}
  ): string =>
    planned(
      filledDraft({
        trainer: { kind: 'builtin', image: 'image-classification' },
        hyperparameters: {},
        sources,
        ...change
      })
    );

  it('names further channels and the content type, and no label', () => {
    const code = images({
      train: {
        kind: 's3',
        uri: 's3://b/train/',
        contentType: 'application/x-image'
      },
      train_lst: {
        kind: 'file',
        path: 'train.lst',
        contentType: 'application/x-image'
      },
      model: { kind: 's3', uri: 's3://b/model.tar.gz' }
    });
    expect(code).toContain('data="s3://b/train/"');
    expect(code).toContain('content_type="application/x-image"');
    expect(code).toContain(`channels={
        "train_lst": "train.lst",
        "model": "s3://b/model.tar.gz",
    }`);
    expect(code).not.toContain('target');
    expect(code).toMatch(
      /^# Not in this call: InputDataConfig\.model\nimport bottega/
    );
  });

  it('is the request where the SDK would take one content type for all', () => {
    const code = images({
      train: {
        kind: 's3',
        uri: 's3://b/train/',
        contentType: 'application/x-image'
      },
      validation: {
        kind: 's3',
        uri: 's3://b/valid/',
        contentType: 'application/x-recordio'
      }
    });
    expect(code).toContain('sagemaker.create_training_job(');
    expect(code).toContain('"ContentType": "application/x-recordio"');
  });
});
