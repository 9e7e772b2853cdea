import type { IAlgorithmDescription } from '../../../api/types/training';
import { shownColumns, toggledColumn } from '../columns';
import type { JobColumn } from '../columns';
import {
  algorithmOf,
  builtInOf,
  comparableFilter,
  outputPrefix,
  parseS3,
  shortImage
} from '../facts';
import { hyperparameters } from '../hyperparameters';
import { createRequest, freshName, jobPython, listPython } from '../python';
import { job } from './examples';

const NOW = new Date('2026-11-26T13:44:05Z');

describe('a job as Python', () => {
  it('is the request under a free name', () => {
    const request = createRequest(job(), [{ Key: 'team', Value: 'crm' }], NOW);
    expect(request).toMatchObject({
      TrainingJobName: 'churn-0412-20261126-134405',
      Tags: [{ Key: 'team', Value: 'crm' }],
      HyperParameters: { num_round: '300' },
      OutputDataConfig: { S3OutputPath: 's3://b/out/' }
    });
    // What Describe adds is no part of it, nor what is off.
    expect(request).not.toHaveProperty('EnableNetworkIsolation');
    expect(request).not.toHaveProperty('CreationTime');
    // A built-in algorithm refuses metric definitions; a script needs them.
    expect(request.AlgorithmSpecification?.MetricDefinitions).toBeUndefined();
    const script = job({ HyperParameters: { sagemaker_program: '"t.py"' } });
    expect(
      createRequest(script, [], NOW).AlgorithmSpecification?.MetricDefinitions
    ).toHaveLength(1);
    expect(jobPython(job(), [], NOW)).toContain(
      'sagemaker.create_training_job('
    );
  });

  it('replaces an earlier time in the name, and keeps it short enough', () => {
    expect(freshName('churn-20260101-000000', NOW)).toBe(
      'churn-20261126-134405'
    );
    const long = freshName('a'.repeat(63), NOW);
    expect(long).toHaveLength(63);
    expect(long).toMatch(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/);
  });

  it.each(['Processing', 'Transform'] as const)(
    'of a list of %s jobs',
    kind => {
      const code = listPython({ Filter: `kind:${kind}` });
      expect(code).toContain(
        `get_paginator("list_${kind.toLowerCase()}_jobs")`
      );
      expect(code).toContain(`page["${kind}JobSummaries"]`);
      expect(code).toContain(`job["${kind}JobName"]`);
    }
  );

  it('of a list is ListTrainingJobs where that can say it', () => {
    const code = listPython({
      Filter: 'status:Completed churn kind:Training',
      SortBy: 'Name',
      SortOrder: 'Ascending'
    });
    expect(code).toContain('get_paginator("list_training_jobs")');
    expect(code).toContain('StatusEquals="Completed"');
    expect(code).toContain('NameContains="churn"');
    expect(code).toContain('SortOrder="Ascending"');
  });

  it.each([
    {},
    { Filter: 'kind:Training,Processing' },
    { Filter: 'kind:Training status:Completed,Failed' },
    { Filter: 'algorithm:xgboost' },
    { Filter: 'one two' },
    { SortBy: 'Objective' as const }
  ])('of another list is ListJobs: %j', request => {
    const code = listPython(request);
    expect(code).toContain('session.client.call("bottega", "ListJobs"');
    if (request.Filter) {
      expect(code).toContain(request.Filter);
    }
  });
});

describe('what a job is', () => {
  it('is named by its notebook, its script or its algorithm', () => {
    expect(algorithmOf(job())).toBe('xgboost');
    const script = job({ HyperParameters: { sagemaker_program: '"t.py"' } });
    expect(algorithmOf(script)).toBe('t.py');
    expect(comparableFilter(script)).toBe('algorithm:t.py');
    const notebook = job({ Environment: { BOTTEGA_NOTEBOOK: 'eda.ipynb' } });
    expect(algorithmOf(notebook)).toBe('eda.ipynb');
    expect(
      comparableFilter(
        job({ HyperParameters: { sagemaker_program: 'my script.py' } })
      )
    ).toBe('');
    expect(shortImage('python')).toBe('python');
  });

  it('leaves its artifacts under its output path', () => {
    expect(outputPrefix(job())).toBe('s3://b/out/churn-0412/output/');
    expect(parseS3('s3://b/out/x')).toEqual({ bucket: 'b', key: 'out/x' });
    expect(parseS3('file:///x')).toBeNull();
  });
});

describe('hyperparameters', () => {
  const xgboost = {
    Name: 'xgboost',
    HyperParameters: [
      { Name: 'eta', Default: '0.3', Description: 'Step size.' },
      { Name: 'max_depth', Default: '6', Description: 'Depth.' },
      { Name: 'num_round', Description: 'Rounds.' }
    ]
  } as IAlgorithmDescription;

  it('that differ from the defaults come first', () => {
    const found = hyperparameters(job().HyperParameters ?? {}, xgboost);
    expect(found.map(({ name, changed }) => [name, changed])).toEqual([
      ['max_depth', true],
      ['num_round', true],
      ['eta', false]
    ]);
    expect(builtInOf(job(), [xgboost])).toBe(xgboost);
  });

  it('of a script have no defaults to differ from', () => {
    const script = job({ HyperParameters: { sagemaker_program: '"t.py"' } });
    expect(builtInOf(script, [xgboost])).toBeNull();
    expect(hyperparameters({ lr: '"0.1"' }, null)).toEqual([
      {
        name: 'lr',
        value: '0.1',
        fallback: undefined,
        changed: false,
        description: ''
      }
    ]);
  });
});

describe('the choice of columns', () => {
  const columns = ['status', 'name', 'kind', 'instance'].map(
    id => ({ id }) as JobColumn
  );
  const ids = (choice: string) =>
    shownColumns(columns, choice).map(column => column.id);

  it('hides what is usually shown, and shows what is usually hidden', () => {
    expect(ids('')).toEqual(['status', 'name', 'kind']);
    const choice = toggledColumn(toggledColumn('', 'kind'), 'instance');
    expect(choice).toBe('instance,kind');
    expect(ids(choice)).toEqual(['status', 'name', 'instance']);
    expect(toggledColumn(choice, 'kind')).toBe('instance');
    // Status and name are always there.
    expect(ids('status,name')).toEqual(['status', 'name', 'kind']);
  });
});
