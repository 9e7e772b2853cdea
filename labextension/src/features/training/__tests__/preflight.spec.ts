import type { IFinding } from '../../../api/types/training';
import { BottegaError } from '../../../api/request';
import { closestName } from '../../../shared/closest';
import { trans } from '../../../testing/fakeClient';
import type { IDraft } from '../draft';
import { algorithmOf } from '../draft';
import type { Previews } from '../findings';
import { localFindings, mergeFindings } from '../preflight';
import { CATALOG, CHURN, filledDraft } from './fixtures';

function find(
  change: Partial<IDraft>,
  previews: Previews = { train: { state: 'ready', data: CHURN } }
): Array<[string, string]> {
  return localFindings(filledDraft(change), previews, CATALOG, trans).map(
    item => [item.Field, item.Message]
  );
}

const columns = (...types: Array<[string, 'text' | 'time' | 'number']>) => ({
  train: {
    state: 'ready' as const,
    data: {
      ...CHURN,
      Columns: types.map(([Name, Type]) => ({ Name, Type })),
      Rows: [types.map(() => '1')]
    }
  }
});

describe('the preflight of the form', () => {
  it('finds nothing in a draft that is right', () => {
    expect(find({})).toEqual([]);
  });

  it('asks for data', () => {
    expect(find({ sources: {} }, {})).toEqual([
      ['InputDataConfig.train', 'Choose the data to train on.']
    ]);
  });

  it('passes on why data cannot be read', () => {
    expect(
      find({}, { train: { state: 'error', error: new Error('No such file.') } })
    ).toEqual([['InputDataConfig.train', 'No such file.']]);
  });

  it('says that there are no rows', () => {
    expect(
      find({}, { train: { state: 'ready', data: { ...CHURN, Rows: [] } } })
    ).toContainEqual([
      'InputDataConfig.train',
      'The data to train on has no rows.'
    ]);
  });

  it('asks for the label', () => {
    expect(find({ target: null })).toEqual([
      ['Target', 'Choose the label column: what is to be predicted.']
    ]);
  });

  it('guesses which label was meant', () => {
    expect(find({ target: 'Chrun' })).toEqual([
      ['Target', 'The data has no column Chrun. Did you mean churn?']
    ]);
    expect(find({ target: 'price' })).toEqual([
      ['Target', 'The data has no column price; it has tenure, charges, churn.']
    ]);
  });

  it('finds labels that are missing in some rows', () => {
    expect(find({ target: 'charges' })[0]?.[1]).toMatch(
      /missing in 1 of the first 2 rows/
    );
  });

  it('finds columns that are no numbers', () => {
    expect(
      find({ target: 'y' }, columns(['y', 'number'], ['city', 'text']))
    ).toEqual([
      [
        'InputDataConfig.train',
        'XGBoost takes numbers only. Encode this column first, or leave it out: city.'
      ]
    ]);
    const many = Array.from(
      { length: 8 },
      (_, index) => [`t${index}`, 'time'] as [string, 'time']
    );
    expect(
      find({ target: 'y' }, columns(['y', 'number'], ...many))[0]?.[1]
    ).toContain('t0, t1, t2, t3, t4, t5 and 2 more');
  });

  it('takes True and False for numbers, but not Yes and No', () => {
    const answered = (...words: string[]): Previews => ({
      train: {
        state: 'ready',
        data: {
          ...CHURN,
          Columns: [
            { Name: 'y', Type: 'integer' },
            { Name: 'paperless', Type: 'boolean' }
          ],
          Rows: words.map(word => ['1', word])
        }
      }
    });
    expect(find({ target: 'y' }, answered('True', 'FALSE', ''))).toEqual([]);
    expect(find({ target: 'y' }, answered('Yes', 'No'))[0]?.[1]).toMatch(
      /takes numbers only.*paperless/
    );
  });

  it('asks for no label where data is sent as it is, but for numbers', () => {
    const plain = (type: 'text' | 'number'): Previews => ({
      train: {
        state: 'ready',
        data: {
          ...CHURN,
          HasHeader: false,
          Columns: [{ Name: 'Column 1', Type: type }]
        }
      }
    });
    expect(find({ target: null }, plain('number'))).toEqual([]);
    expect(find({ target: null }, plain('text'))[0]?.[1]).toMatch(
      /takes numbers only.*Column 1/
    );
  });

  it('asks for no label of a whole folder, which the server judges', () => {
    expect(
      find({
        sources: { train: { kind: 's3', uri: 's3://b/folder/' } },
        target: null
      })
    ).toEqual([]);
  });

  it('compares the validation data with the training data', () => {
    const data = { ...CHURN, Columns: CHURN.Columns.slice(0, 1) };
    expect(
      find(
        {
          sources: {
            train: { kind: 'file', path: 'data/churn.csv' },
            validation: { kind: 'file', path: 'valid.csv' }
          }
        },
        {
          train: { state: 'ready', data: CHURN },
          validation: { state: 'ready', data }
        }
      )
    ).toEqual([
      [
        'InputDataConfig.validation',
        'The validation data lacks columns of the training data: charges, churn.'
      ]
    ]);
  });

  it('finds hyperparameters and resources that cannot be', () => {
    expect(
      find({
        hyperparameters: { eta: '7' },
        name: '-x',
        instanceCount: NaN,
        maxRuntimeSeconds: 0
      }).map(([field]) => field)
    ).toEqual([
      'HyperParameters.num_round',
      'HyperParameters.eta',
      'TrainingJobName',
      'ResourceConfig.InstanceCount',
      'StoppingCondition.MaxRuntimeInSeconds'
    ]);
  });

  it('asks for a script, and only notes that there is no data', () => {
    const script = (path: string): Partial<IDraft> => ({
      sources: {},
      trainer: {
        kind: 'script',
        image: 'python',
        script: { kind: 'file', path, folder: '' },
        metrics: {}
      }
    });
    expect(find(script(''), {})[0]).toEqual([
      'HyperParameters.sagemaker_program',
      'Choose the script to run.'
    ]);
    expect(find(script('train.sh'), {})[0]?.[1]).toMatch(/end in .py/);
    const [only, ...more] = localFindings(
      filledDraft(script('train.py')),
      {},
      CATALOG,
      trans
    );
    expect(only?.Severity).toBe('Information');
    expect(more).toEqual([]);
  });
});

describe('the preflight of the other algorithms', () => {
  const builtin = (image: string): Partial<IDraft> => ({
    trainer: { kind: 'builtin', image },
    hyperparameters: { k: '3', feature_dim: '3' },
    target: null
  });

  it('asks for no label where there is none, but for numbers', () => {
    expect(find(builtin('kmeans'))).toEqual([]);
    expect(
      find(
        { ...builtin('kmeans'), hyperparameters: { k: '2', feature_dim: '2' } },
        columns(['x', 'number'], ['city', 'text'])
      )
    ).toEqual([
      [
        'InputDataConfig.train',
        'K-Means takes numbers only. Encode this column first, or leave it out: city.'
      ]
    ]);
  });

  it('counts the features', () => {
    const told = (feature_dim: string): Array<[string, string]> =>
      find({ ...builtin('kmeans'), hyperparameters: { k: '2', feature_dim } });
    expect(told('')).toEqual([
      [
        'HyperParameters.feature_dim',
        'feature_dim must be given: the data has 3 feature columns.'
      ]
    ]);
    expect(told('7')).toEqual([
      [
        'HyperParameters.feature_dim',
        'feature_dim is 7, but the data has 3 feature columns.'
      ]
    ]);
  });

  it('compares test data with the training data', () => {
    const data = { ...CHURN, Columns: CHURN.Columns.slice(0, 2) };
    expect(
      find(
        {
          ...builtin('kmeans'),
          sources: {
            train: { kind: 'file', path: 'a.csv' },
            test: { kind: 'file', path: 'b.csv' }
          }
        },
        {
          train: { state: 'ready', data: CHURN },
          test: { state: 'ready', data }
        }
      )
    ).toEqual([
      [
        'InputDataConfig.test',
        'The data of the channel test lacks columns of the training data: churn.'
      ]
    ]);
  });

  it('asks for every channel that must be there, and for what has to be installed', () => {
    expect(find({ ...builtin('seq2seq'), sources: {} }, {})).toEqual([
      [
        'AlgorithmSpecification.TrainingImage',
        'The algorithm seq2seq needs torch.'
      ],
      ['InputDataConfig.train', 'Choose the data to train on.'],
      [
        'InputDataConfig.validation',
        'Choose the validation data, which Sequence-to-Sequence needs.'
      ],
      [
        'InputDataConfig.vocab',
        'Choose the data of the channel vocab. What vocab holds.'
      ]
    ]);
  });

  it('takes a folder of images, and no table in place of them', () => {
    const images = (path: string, contentType?: string): Partial<IDraft> => ({
      ...builtin('image-classification'),
      sources: {
        train: { kind: 'file', path, ...(contentType && { contentType }) }
      }
    });
    const folder = (files: number): Previews => ({
      train: { state: 'folder', folder: { files, folders: 0, bytes: 9 } }
    });
    expect(find(images('pictures/'), folder(2))).toEqual([]);
    expect(find(images('pictures/'), folder(0))).toEqual([
      ['InputDataConfig.train', 'The folder is empty.']
    ]);
    expect(find(images('data/churn.csv'))).toEqual([
      [
        'InputDataConfig.train',
        'churn.csv is text/csv, which Image Classification does not read here. It reads application/x-recordio, application/x-image.'
      ]
    ]);
    expect(find(images('a.csv', 'application/x-recordio'))).toEqual([]);
  });

  it('only warns of what cannot be shown, but not of what is not there', () => {
    const severity = (reason: Error): string | undefined =>
      localFindings(
        filledDraft({
          ...builtin('image-classification'),
          sources: { train: { kind: 'file', path: 'a.rec' } }
        }),
        { train: { state: 'error', error: reason } },
        CATALOG,
        trans
      )[0]?.Severity;
    expect(severity(new Error('It cannot be shown.'))).toBe('Warning');
    expect(severity(new BottegaError('NoSuchFile', 'It is gone.', 404))).toBe(
      'Error'
    );
  });
});

describe('the findings together', () => {
  const merge = (
    local: IFinding[],
    found: IFinding[],
    draft: IDraft
  ): IFinding[] =>
    mergeFindings(local, found, draft, algorithmOf(draft, CATALOG));

  const server: IFinding[] = [
    { Severity: 'Information', Field: 'ResourceConfig', Message: 'It waits.' },
    {
      Severity: 'Error',
      Field: 'InputDataConfig.train',
      Message: 'No objects.'
    },
    { Severity: 'Error', Field: 'TrainingJobName', Message: 'Taken.' },
    { Severity: 'Error', Field: 'HyperParameters.eta', Message: 'Too much.' }
  ];

  it('leave out what the server says of data that is not there yet', () => {
    const local: IFinding[] = [
      { Severity: 'Error', Field: 'HyperParameters.eta', Message: 'Not 7.' }
    ];
    expect(
      merge(local, server, filledDraft()).map(item => item.Message)
    ).toEqual(['Not 7.', 'Taken.', 'It waits.']);
  });

  it('keep what it says of data that is sent as it is', () => {
    expect(
      merge(
        [],
        server,
        filledDraft({
          sources: { train: { kind: 's3', uri: 's3://b/p/' } },
          target: null
        })
      ).map(item => item.Message)
    ).toContain('No objects.');
  });
});

describe('the nearest name', () => {
  it('is one that a slip of the finger makes', () => {
    expect(closestName('tenur', ['tenure', 'churn'])).toBe('tenure');
    expect(closestName('zzz', ['tenure', 'churn'])).toBeNull();
  });
});
