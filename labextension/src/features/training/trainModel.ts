import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type {
  IAlgorithmDescription,
  ICheckTrainingJobResponse,
  ICreateTrainingJobRequest,
  IFinding,
  IListAlgorithmsResponse
} from '../../api/types/training';
import { asError } from '../../shared/asError';
import type { IBottegaClient } from '../../tokens';
import { sentSources } from './channels';
import { readClone } from './clone';
import type { IDraft, Source, Trainer } from './draft';
import { algorithmOf, namesLabel, newDraft, shortName } from './draft';
import { ExperimentNames } from './experimentNames';
import type { IFiles } from './files';
import type { Preview } from './findings';
import { prepareInput } from './input';
import { localFindings, mergeFindings } from './preflight';
import { ChannelPreviews } from './previews';
import type { IPrepared, IStudioFacts } from './requests';
import {
  createRequest,
  freshName,
  nameBase,
  plannedInput,
  uploadKey
} from './requests';
import { createJob, newSearch } from './search';

/** What is typed counts a moment after the last key. */
const TYPING_MS = 350;

/** What the form needs to know before it can be shown. */
interface IGround {
  catalog: IListAlgorithmsResponse;
  studio: IStudioFacts;
}

/** How far the start of a job is. */
export type Stage = 'sending' | 'checking' | 'creating';

/** What went wrong, beside what the findings say. */
export interface IFailure {
  what: 'load' | 'clone' | 'upload' | 'start';
  error: Error;
}

/** A job in the making: the draft, what is known of its data, and what would become of it. */
export class TrainModel implements IDisposable {
  constructor(
    private readonly _options: {
      client: IBottegaClient;
      /** The files of the file browser, of which folders are looked at. */
      files: Pick<IFiles, 'folder'>;
      trans: TranslationBundle;
      /** The machine size that the settings want. */
      instanceType: string;
      now?: () => Date;
      random?: () => number;
    }
  ) {
    const { client, files } = _options;
    this._experiments = new ExperimentNames(client);
    this._previews = new ChannelPreviews({
      client,
      files,
      onLooked: (channel, source, preview) =>
        this._onLooked(channel, source, preview)
    });
  }

  /** Emitted whenever anything of the model has changed. */
  get changed(): ISignal<TrainModel, void> {
    return this._changed;
  }

  /** What can be chosen; null until {@link load} has read it. */
  get catalog(): IListAlgorithmsResponse | null {
    return this._ground?.catalog ?? null;
  }

  /** The studio that the job is for; null until {@link load} has read it. */
  get studio(): IStudioFacts | null {
    return this._ground?.studio ?? null;
  }

  /** The draft as it would be sent: with a name, be it a made one. */
  get draft(): IDraft {
    const draft = this._stored;
    return { ...draft, name: draft.name || this.madeName };
  }

  /** The name that the user has given; empty where one is made. */
  get givenName(): string {
    return this._stored.name;
  }

  /** The name that a job without one gets. */
  get madeName(): string {
    const base = nameBase(this._stored.trainer, this._stored.search);
    if (this._made?.base !== base) {
      const { now = () => new Date(), random = Math.random } = this._options;
      this._made = { base, name: freshName(base, now(), random) };
    }
    return this._made.name;
  }

  /** The built-in algorithm that trains; null for scripts. */
  get algorithm(): IAlgorithmDescription | null {
    return this.catalog && algorithmOf(this._stored, this.catalog);
  }

  /** What is known of the data of a channel. */
  preview(channel: string): Preview {
    return this._previews.all[channel] ?? { state: 'none' };
  }

  /** What would fail or wait, errors first. */
  get findings(): IFinding[] {
    if (!this._ground) {
      return [];
    }
    const { draft, _ground: ground } = this;
    const local = localFindings(
      draft,
      this._previews.all,
      ground.catalog,
      this._options.trans
    );
    return this._refused
      ? [...this._refused]
      : mergeFindings(
          local,
          this._check?.Findings ?? [],
          draft,
          this.algorithm
        );
  }

  /** What the server said of capacity, the last time it was asked. */
  get capacity(): ICheckTrainingJobResponse | null {
    return this._check;
  }

  /** Whether the findings may still change: something is being read or checked. */
  get isChecking(): boolean {
    return this._checking || this._isLooking;
  }

  /** Why the server could not check the draft. */
  get checkProblem(): Error | null {
    return this._checkProblem;
  }

  /** What is being done to start the job; null while it is being filled in. */
  get stage(): Stage | null {
    return this._stage;
  }

  /** The file that is on its way from the browser into the store. */
  get uploading(): { channel: string; name: string } | null {
    return this._uploading;
  }

  get failure(): IFailure | null {
    return this._failure;
  }

  /** Names of experiments that there are. */
  get experiments(): readonly string[] {
    return this._experiments.names;
  }

  /** Why the names of experiments could not be read. */
  get experimentsProblem(): Error | null {
    return this._experiments.problem;
  }

  /** Whether the job can be started: nothing would fail, as far as can be seen. */
  get canStart(): boolean {
    return (
      this._ground !== null &&
      this._stage === null &&
      this._uploading === null &&
      !this._isLooking &&
      !this.findings.some(item => item.Severity === 'Error')
    );
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._checkTimer);
    this._previews.dispose();
    this._abort?.abort();
    Signal.clearData(this);
  }

  /** Read what can be chosen, and begin a new draft. */
  async load(): Promise<void> {
    const { client, instanceType } = this._options;
    this._failure = null;
    this._emit();
    try {
      const [catalog, studio] = await Promise.all([
        client.call('bottega:ListAlgorithms', {}),
        client.call('bottega:DescribeStudio', {})
      ]);
      this._ground = {
        catalog,
        studio: { roleArn: studio.RoleArn, bucket: studio.DefaultBucket }
      };
      this._stored = newDraft(catalog, instanceType);
      this.recheck();
    } catch (error) {
      this._fail('load', error);
    }
  }

  /** Read which experiments there are; where they cannot be read, the form offers none. */
  async loadExperiments(): Promise<void> {
    await this._experiments.load();
    this._emit();
  }

  /** Change something of the draft. */
  edit(change: Partial<IDraft>): void {
    this._stored = { ...this._stored, ...change };
    this.checkAgain();
  }

  /** Choose what trains; an algorithm comes with the values that it demands. */
  setTrainer(trainer: Trainer): void {
    const same =
      trainer.kind === this._stored.trainer.kind &&
      (trainer.kind === 'script' ||
        shortName(trainer.image) === shortName(this._stored.trainer.image));
    const algorithm = this.catalog?.Algorithms.find(
      item => trainer.kind === 'builtin' && item.TrainingImage === trainer.image
    );
    this.edit({
      trainer,
      ...(!same && {
        hyperparameters: algorithm?.DefaultHyperParameters ?? {}
      })
    });
    if (!same && this._stored.search) {
      this.setSearch(true);
    }
  }

  /** Search for hyperparameters, beginning with what is recommended; or train once. */
  setSearch(isWanted: boolean): void {
    this.edit({
      search: isWanted ? newSearch(this.algorithm, this._stored) : null
    });
  }

  /** Show a channel that the form has not shown so far. */
  addChannel(channel: string): void {
    const { sources } = this._stored;
    this.edit({ sources: { ...sources, [channel]: sources[channel] ?? null } });
  }

  /** Leave a channel out, with its data. */
  removeChannel(channel: string): void {
    this._previews.look(channel, null);
    const left = Object.entries(this._stored.sources).filter(
      ([name]) => name !== channel
    );
    this.edit({ sources: Object.fromEntries(left) });
  }

  /** Choose the data of a channel; null for none. */
  setSource(channel: string, source: Source | null): void {
    this._previews.look(channel, source);
    this.edit({ sources: { ...this._stored.sources, [channel]: source } });
  }

  /** Bring a file of the browser's computer into the store, and take it as the data of a channel. */
  async upload(channel: string, file: File): Promise<void> {
    const {
      client,
      now = () => new Date(),
      random = Math.random
    } = this._options;
    if (!this._ground) {
      return;
    }
    this._uploading = { channel, name: file.name };
    this._failure = null;
    this._emit();
    try {
      const { bucket } = this._ground.studio;
      const key = uploadKey(file.name, now(), random);
      const uri = await client.upload(bucket, key, file);
      this._uploading = null;
      this.setSource(channel, { kind: 's3', uri });
    } catch (error) {
      this._uploading = null;
      this._fail('upload', error);
    }
  }

  /** Begin anew with what another job did. */
  async clone(job: string): Promise<void> {
    const { client } = this._options;
    this._failure = null;
    try {
      if (!this._ground) {
        return;
      }
      const draft = await readClone(client, job, this._ground.catalog);
      this._previews.clear();
      this.edit(draft);
      for (const [channel, source] of Object.entries(draft.sources)) {
        this.setSource(channel, source);
      }
    } catch (error) {
      this._fail('clone', error);
    }
  }

  /** Forget what the last start found, and ask anew. */
  checkAgain(): void {
    this._refused = null;
    this._failure = null;
    this.recheck();
  }

  /** Ask the server, a moment later, what would become of the draft. */
  recheck(): void {
    clearTimeout(this._checkTimer);
    this._checking = this._ground !== null;
    this._checkTimer = setTimeout(() => void this._askServer(), TYPING_MS);
    this._emit();
  }

  /** The training that {@link start} would start with the data in the store; of a search, one. */
  planned(): ICreateTrainingJobRequest | null {
    return this._request(studio =>
      plannedInput(this.draft, this.algorithm, studio)
    );
  }

  /**
   * Bring data and code into the store, check once more, and create the job.
   *
   * @returns the job's name; null when nothing was created, and `findings` or `failure` say why.
   */
  async start(): Promise<string | null> {
    if (!this.canStart) {
      return null;
    }
    const { client } = this._options;
    const { draft } = this;
    this._refused = null;
    this._failure = null;
    try {
      this._enter('sending');
      const prepared = await prepareInput(client, draft, this.algorithm);
      const request = this._request(() => prepared);
      this._enter('checking');
      const check = await client.call('bottega:CheckTrainingJob', {
        Request: { ...request }
      });
      if (check.Findings.some(item => item.Severity === 'Error')) {
        this._refused = check.Findings;
        return null;
      }
      // Who has closed the form meanwhile does not want the job any more.
      if (!request || this._isDisposed) {
        return null;
      }
      this._enter('creating');
      await createJob(client, request, draft.search);
      this._made = null;
      this._stored = { ...this._stored, name: '' };
      return draft.name;
    } catch (error) {
      this._fail('start', error);
      return null;
    } finally {
      this._stage = null;
      this.recheck();
    }
  }

  private _request(
    input: (studio: IStudioFacts) => IPrepared
  ): ICreateTrainingJobRequest | null {
    const { _ground: ground } = this;
    return (
      ground &&
      createRequest(
        this.draft,
        ground.catalog,
        ground.studio,
        input(ground.studio)
      )
    );
  }

  private async _askServer(): Promise<void> {
    const request = this.planned();
    if (!request || this._isDisposed) {
      return;
    }
    this._abort?.abort();
    const mine = (this._abort = new AbortController());
    try {
      const check = await this._options.client.call(
        'bottega:CheckTrainingJob',
        { Request: { ...request } },
        mine.signal
      );
      if (mine === this._abort) {
        this._check = check;
        this._checkProblem = null;
      }
    } catch (error) {
      if (mine === this._abort) {
        this._check = null;
        this._checkProblem = asError(error);
      }
    }
    if (mine === this._abort) {
      this._checking = false;
      this._emit();
    }
  }

  private _onLooked(channel: string, source: Source, preview: Preview): void {
    if (
      channel === 'train' &&
      preview.state === 'ready' &&
      !namesLabel(source, preview.data)
    ) {
      this.edit({ target: null });
    }
    this._emit();
  }

  /** Whether the data of a channel that counts is still being read. */
  private get _isLooking(): boolean {
    return sentSources(this._stored, this.algorithm).some(
      ([name]) => this._previews.all[name]?.state === 'loading'
    );
  }

  private _enter(stage: Stage): void {
    this._stage = stage;
    this._emit();
  }

  private _fail(what: IFailure['what'], error: unknown): void {
    this._failure = { what, error: asError(error) };
    this._emit();
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _abort: AbortController | null = null;
  private _changed = new Signal<TrainModel, void>(this);
  private _check: ICheckTrainingJobResponse | null = null;
  private _checkProblem: Error | null = null;
  private _checkTimer: ReturnType<typeof setTimeout> | undefined;
  private _checking = false;
  private readonly _experiments: ExperimentNames;
  private _failure: IFailure | null = null;
  private _ground: IGround | null = null;
  private _isDisposed = false;
  private _made: { base: string; name: string } | null = null;
  private readonly _previews: ChannelPreviews;
  /** What the last check before the start found; until something is changed. */
  private _refused: IFinding[] | null = null;
  private _stage: Stage | null = null;
  private _stored: IDraft = newDraft(
    { Algorithms: [], Frameworks: [], InstanceTypes: [] },
    ''
  );
  private _uploading: { channel: string; name: string } | null = null;
}
