import { readFileSync } from 'fs';
import { join } from 'path';

import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';
import { expect } from '@playwright/test';

/** The image that runs a plain Python script. */
const PYTHON_IMAGE = 'python';

/** What a job is given besides what all of them are. */
interface IMoreOfJob {
  experiment?: string;
  /** Further members of the request, of the URI where the job's output goes. */
  request?: (output: string) => object;
}

/** JupyterLab with the Studio in it; what a test prepares goes through the same routes. */
export class Studio {
  constructor(
    readonly page: IJupyterLabPageFixture,
    private readonly _base: string,
    /** The folder of this test in the file browser. */
    readonly folder: string
  ) {}

  /** The screen in front. */
  get screen(): Locator {
    return this.page.locator('.jp-BottegaScreen:not(.lm-mod-hidden)');
  }

  get sidebar(): Locator {
    return this.page.getByRole('region', { name: 'Bottega Studio' });
  }

  /** Open a screen as a link does. */
  async open(path: string): Promise<void> {
    await this.page.evaluate(async wanted => {
      await window.jupyterapp.commands.execute('bottega:open', {
        path: wanted
      });
    }, path);
  }

  async showSidebar(): Promise<void> {
    await this.page.evaluate(async () => {
      await window.jupyterapp.commands.execute('bottega:show-sidebar');
    });
    await expect(this.sidebar).toBeVisible();
  }

  /** Write a file into this test's folder; returns its path in the file browser. */
  async write(name: string, text: string): Promise<string> {
    const path = `${this.folder}/${name}`;
    await this.page.contents.uploadContent(text, 'text', path);
    return path;
  }

  /** The text of a file of the file browser. */
  async read(path: string): Promise<string> {
    const answer = await this.page.request.get(
      `${this._base}/api/contents/${encodeURI(path)}`,
      { params: { type: 'file', format: 'text' } }
    );
    expect(answer.ok(), await answer.text()).toBe(true);
    return String((await answer.json()).content);
  }

  /** Call an operation. */
  async call<T>(service: string, name: string, request: object): Promise<T> {
    const answer = await this.page.request.post(
      `${this._base}/bottega/operations/${service}/${name}`,
      { data: request }
    );
    expect(answer.ok(), await answer.text()).toBe(true);
    return (await answer.json()) as T;
  }

  /**
   * Load the page anew, without waiting for the Launcher, which is not what
   * comes back.
   *
   * Now and then the browser drops what Galata asks of a page that is just
   * loading; then it is loaded once more.
   */
  async reload(): Promise<void> {
    const options = { waitForIsReady: false } as object;
    try {
      await this.page.reload(options);
    } catch (error) {
      if (!String(error).includes('garbage collected')) {
        throw error;
      }
      await this.page.reload(options);
    }
    // What is opened before the tabs have come back would be behind the one that was in front.
    await this.page.waitForFunction(async () => {
      await window.jupyterapp?.restored;
      return window.jupyterapp !== undefined;
    });
  }

  /** Start a job that runs a script; returns its name. */
  async startScript(
    name: string,
    program: string,
    more: IMoreOfJob = {}
  ): Promise<string> {
    const path = await this.write(`${name}.py`, program);
    const sent = await this.page.request.post(`${this._base}/bottega/sources`, {
      data: { path, prefix: `${name}/source` }
    });
    expect(sent.ok(), await sent.text()).toBe(true);
    const { program: entry, uri } = await sent.json();
    await this._create(name, PYTHON_IMAGE, more, {
      sagemaker_program: entry,
      sagemaker_submit_directory: uri
    });
    return name;
  }

  /** Train XGBoost on the tumour data; returns the job's name. */
  async startTraining(
    name: string,
    hyperparameters: Record<string, string>,
    more: IMoreOfJob = {}
  ): Promise<string> {
    const train = await this._prepare('train', 'tumours.csv', name, []);
    const validation = await this._prepare(
      'validation',
      'tumours-validation.csv',
      name,
      train.columns
    );
    await this._create(
      name,
      'xgboost',
      more,
      { objective: 'binary:logistic', eval_metric: 'auc', ...hyperparameters },
      [train.channel, validation.channel],
      [{ Key: 'bottega:columns', Value: train.columns_uri }]
    );
    return name;
  }

  private async _prepare(
    channel: string,
    path: string,
    job: string,
    columns: string[]
  ): Promise<{ channel: object; columns: string[]; columns_uri: string }> {
    const sent = await this.page.request.post(
      `${this._base}/bottega/channels`,
      {
        data: {
          source: { path },
          name: channel,
          target: 'benign',
          prefix: `${job}/input`,
          columns
        }
      }
    );
    expect(sent.ok(), await sent.text()).toBe(true);
    return await sent.json();
  }

  private async _create(
    name: string,
    image: string,
    more: IMoreOfJob,
    hyperparameters: Record<string, string>,
    channels: object[] = [],
    tags: object[] = []
  ): Promise<void> {
    const facts = await this.call<{ DefaultBucket: string; RoleArn: string }>(
      'bottega',
      'DescribeStudio',
      {}
    );
    await this.call('sagemaker', 'CreateTrainingJob', {
      TrainingJobName: name,
      RoleArn: facts.RoleArn,
      AlgorithmSpecification: {
        TrainingImage: image,
        TrainingInputMode: 'File'
      },
      HyperParameters: hyperparameters,
      OutputDataConfig: { S3OutputPath: `s3://${facts.DefaultBucket}/` },
      ResourceConfig: {
        InstanceType: 'ml.m5.large',
        InstanceCount: 1,
        VolumeSizeInGB: 30
      },
      StoppingCondition: { MaxRuntimeInSeconds: 3600 },
      ...(channels.length > 0 ? { InputDataConfig: channels } : {}),
      ...(tags.length > 0 ? { Tags: tags } : {}),
      ...(more.experiment
        ? { ExperimentConfig: { ExperimentName: more.experiment } }
        : {}),
      ...more.request?.(`s3://${facts.DefaultBucket}/`)
    });
  }

  /** Search as a training job was done: the trials have its code and its settings. */
  async startSearch(name: string, job: string): Promise<void> {
    const like = await this.call<Record<string, object>>(
      'sagemaker',
      'DescribeTrainingJob',
      { TrainingJobName: job }
    );
    await this.call('sagemaker', 'CreateHyperParameterTuningJob', {
      HyperParameterTuningJobName: name,
      HyperParameterTuningJobConfig: {
        Strategy: 'Random',
        ResourceLimits: {
          MaxNumberOfTrainingJobs: 2,
          MaxParallelTrainingJobs: 2
        },
        ParameterRanges: {
          IntegerParameterRanges: [
            { Name: 'depth', MinValue: '1', MaxValue: '9' }
          ]
        },
        HyperParameterTuningJobObjective: {
          Type: 'Minimize',
          MetricName: 'loss'
        }
      },
      TrainingJobDefinition: {
        StaticHyperParameters: like['HyperParameters'],
        AlgorithmSpecification: {
          TrainingImage: PYTHON_IMAGE,
          TrainingInputMode: 'File',
          MetricDefinitions: [{ Name: 'loss', Regex: 'loss=([0-9.]+)' }]
        },
        ...Object.fromEntries(
          [
            'RoleArn',
            'OutputDataConfig',
            'ResourceConfig',
            'StoppingCondition'
          ].map(member => [member, like[member]])
        )
      }
    });
    await expect
      .poll(
        async () => {
          const search = await this.call<Record<string, string>>(
            'sagemaker',
            'DescribeHyperParameterTuningJob',
            { HyperParameterTuningJobName: name }
          );
          return search['HyperParameterTuningJobStatus'];
        },
        { timeout: 60_000 }
      )
      .toMatch(/Completed|Failed|Stopped/);
  }

  /** Wait for a job to come to this status. */
  async awaitJob(name: string, status: string): Promise<void> {
    await expect
      .poll(
        async () => {
          const job = await this.call<{ TrainingJobStatus: string }>(
            'sagemaker',
            'DescribeTrainingJob',
            { TrainingJobName: name }
          );
          return job.TrainingJobStatus;
        },
        { timeout: 60_000 }
      )
      .toBe(status);
  }

  /** The id of an experiment, once so many runs are in it; runs may come after their jobs. */
  async awaitExperiment(name: string, runs: number): Promise<string> {
    let id = '';
    await expect
      .poll(
        async () => {
          const { Experiments: found } = await this.call<{
            Experiments: Array<{ ExperimentId: string; Runs: number }>;
          }>('bottega', 'ListTrackedExperiments', { Filter: name });
          id = found[0]?.ExperimentId ?? '';
          return found[0]?.Runs ?? 0;
        },
        { timeout: 60_000 }
      )
      .toBe(runs);
    return id;
  }

  /** Stop whatever still runs, and wait for its end. */
  async stopJobs(): Promise<void> {
    for (const status of ['InProgress', 'Stopping']) {
      const { TrainingJobSummaries: jobs } = await this.call<{
        TrainingJobSummaries: Array<{ TrainingJobName: string }>;
      }>('sagemaker', 'ListTrainingJobs', { StatusEquals: status });
      for (const { TrainingJobName: name } of jobs) {
        if (status === 'InProgress') {
          await this.call('sagemaker', 'StopTrainingJob', {
            TrainingJobName: name
          });
        }
        await this.awaitJob(name, 'Stopped');
      }
    }
  }

  /** Kill the daemon as a crash would. */
  async killDaemon(): Promise<void> {
    const about = await this.page.request.get(`${this._base}/bottega/about`);
    const { home } = await about.json();
    const record = JSON.parse(readFileSync(join(home, 'daemon.json'), 'utf8'));
    process.kill(record.pid, 'SIGKILL');
  }
}
