import type { ServerConnection } from '@jupyterlab/services';
import { URLExt } from '@jupyterlab/coreutils';

import type { IEventStream } from './events';
import { EventStream } from './events';
import { BottegaError, fetchResponse, requestAPI } from './request';
import type { IOperations } from './types';
import type { ICheckModelResponse, IModelFinding } from './types/hosting';
import type { IPreviewDataResponse } from './types/training';

/** An operation as `service:Name`. */
export type OperationName = keyof IOperations;

/** What an endpoint answered. */
export interface IInvocation {
  body: string;
  contentType: string;
  variant: string;
  /** From the request to the whole answer, as the server extension measured it. */
  seconds: number;
}

/** What to ask of a model besides its answer. */
export interface IInvocationOptions {
  contentType?: string;
  accept?: string;
  variant?: string;
  /** The model's archive, of an endpoint that has many. */
  model?: string;
  /** The container, of a pipeline whose containers are called one by one. */
  container?: string;
  /** The inference component, of an endpoint that has some. */
  component?: string;
  inferenceId?: string;
}

/** A request that an asynchronous endpoint has taken in. */
export interface IAsyncInvocation {
  inference_id: string;
  /** The `s3://` URI where the answer will be. */
  output: string;
  /** Where a failure will be told; null where the endpoint has no place for that. */
  failure: string | null;
}

/** An object of the store. */
export interface IStoredObject {
  key: string;
  size: number;
  /** Seconds since the epoch. */
  modified: number;
}

/** One window of a listing of the store. */
export interface IObjectListing {
  objects: IStoredObject[];
  prefixes: string[];
  /** The token of the next window; empty at the end. */
  next: string;
}

/** A file of an archive in the store. */
export interface IArchiveMember {
  name: string;
  size: number;
}

/** Where the data of a channel comes from: a file of the file browser, or the store. */
export type ChannelSource = { path: string } | { uri: string };

/** What is asked of {@link IBottegaClient.prepareChannel}. */
export interface IChannelRequest {
  source: ChannelSource;
  name: string;
  /** The label column, for built-in algorithms; it becomes the first of what is sent. */
  target: string | null;
  /** Where in the default bucket the data goes. */
  prefix: string;
  /** The feature columns of the train channel, whose order this one follows. */
  columns?: string[];
  /** For a script, which gets the file as it is. */
  for_script?: boolean;
  /** Of what is sent as it is, where its name does not tell. */
  content_type?: string;
  /** The built-in algorithm that reads, which decides in which form a table is sent. */
  algorithm?: string;
}

/** A channel whose data is in the store. */
export interface IPreparedChannel {
  /** The member of InputDataConfig. */
  channel: Record<string, unknown>;
  columns: string[];
  /** Where the order of the columns is kept, for the tag `bottega:columns`. */
  columns_uri: string | null;
}

/** Whose model it is: one of them. */
export interface IModelSource {
  job?: string;
  run?: string;
  /** A version of the model registry: `group/3`. */
  version?: string;
}

/** What to put behind an endpoint. */
export interface IDeployRequest extends IModelSource {
  name: string;
  instance_type?: string;
  instance_count?: number;
  /** Requests at once, for servers that come and go with the requests, instead of instances. */
  serverless_concurrency?: number;
  /** Whether the answers are objects of the store. */
  asynchronous?: boolean;
  /** So many of a hundred requests are kept, with their answers. */
  capture_percent?: number;
}

/** The jobs that can be replayed. */
export type ReplayedKind = 'Training' | 'Processing';

/** A replay of a job. Paths are those of the file browser. */
export interface IReplayFolder {
  notebook: string;
  folder: string;
  /** What is not there any more, or not as it was in the job; sentences. */
  notes: string[];
  /** Variables and hyperparameters whose values are not in the folder. */
  secrets: string[];
}

/** What to put into the model registry. */
export interface IRegisterRequest {
  job: string;
  /** The group whose next version it becomes; made where there is none of the name. */
  group: string;
  description?: string;
  /** Whether it may be deployed at once. */
  approved?: boolean;
}

/** Everything the screens ask of the server; the token `IBottegaClient` gives the one there is. */
export interface IBottegaClient {
  readonly events: IEventStream;

  /**
   * Call an operation.
   *
   * @throws BottegaError when it is refused, with the code and text that boto3 would show.
   */
  call<K extends OperationName>(
    operation: K,
    request: IOperations[K]['request'],
    signal?: AbortSignal
  ): Promise<IOperations[K]['response']>;

  /** InvokeEndpoint with a text body. */
  invoke(
    endpoint: string,
    body: string,
    options?: IInvocationOptions
  ): Promise<IInvocation>;

  /** InvokeEndpointAsync with a text body. */
  invokeAsync(
    endpoint: string,
    body: string,
    options?: Pick<IInvocationOptions, 'contentType' | 'inferenceId'>
  ): Promise<IAsyncInvocation>;

  /** An object of the store as text; null where there is none (yet). */
  readObject(uri: string): Promise<string | null>;

  /** One window of the objects under a prefix. */
  listObjects(
    bucket: string,
    options?: { prefix?: string; delimiter?: string; token?: string }
  ): Promise<IObjectListing>;

  /** The files in a `.tar.gz` of the store. */
  listArchive(bucket: string, key: string): Promise<IArchiveMember[]>;

  /** Where the browser downloads an object, or a file of an archive. */
  downloadUrl(bucket: string, key: string, member?: string): string;

  /** Where the browser downloads an artifact of a run. */
  artifactUrl(runId: string, path: string): string;

  /** Put a file of the browser into the store; returns its `s3://` URI. */
  upload(bucket: string, key: string, file: Blob): Promise<string>;

  /** The first rows of a file of the file browser. */
  previewFile(path: string, maxRows?: number): Promise<IPreviewDataResponse>;

  /** Bring the data of one channel into the store in the form that the job wants. */
  prepareChannel(request: IChannelRequest): Promise<IPreparedChannel>;

  /** Bring a script, or a folder with one, into the store. */
  uploadSource(request: {
    path: string;
    source_dir?: string | null;
    prefix: string;
  }): Promise<{ program: string; uri: string }>;

  /** Create model, configuration and endpoint for a job or a run; returns the endpoint's name. */
  deploy(request: IDeployRequest): Promise<string>;

  /** What would keep a model from being served; empty where nothing wrong can be seen. */
  checkModel(
    source: IModelSource,
    signal?: AbortSignal
  ): Promise<IModelFinding[]>;

  /** Put the model of a job into the registry; returns the ARN of the version. */
  register(request: IRegisterRequest): Promise<string>;

  /** Send a notebook as a job; returns the job's name. */
  runNotebook(request: {
    path: string;
    parameters: Record<string, unknown>;
    name?: string | null;
    instance_type?: string | null;
  }): Promise<string>;

  /**
   * Make a folder of the file browser in which a training job is done again.
   *
   * @param folder the folder in which it is made, as the file browser writes it.
   */
  replay(
    job: string,
    folder: string,
    kind?: ReplayedKind
  ): Promise<IReplayFolder>;

  /** Fetch the executed copy of a notebook job and its HTML beside the notebook; their paths. */
  collectNotebook(job: string): Promise<{ notebook: string; html: string }>;
}

/** {@link IBottegaClient} over the routes of the server extension. */
export class BottegaClient implements IBottegaClient {
  constructor(private readonly _settings: ServerConnection.ISettings) {
    this._events = new EventStream(_settings);
  }

  get events(): IEventStream {
    this._events.start();
    return this._events;
  }

  call<K extends OperationName>(
    operation: K,
    request: IOperations[K]['request'],
    signal?: AbortSignal
  ): Promise<IOperations[K]['response']> {
    const [service, name] = operation.split(':') as [string, string];
    return this._post(`operations/${service}/${name}`, request, signal);
  }

  async invoke(
    endpoint: string,
    body: string,
    options: IInvocationOptions = {}
  ): Promise<IInvocation> {
    const response = await fetchResponse(
      `endpoints/${encodeURIComponent(endpoint)}/invocations`,
      this._settings,
      { method: 'POST', headers: invocationHeaders(options), body }
    );
    return {
      body: await response.text(),
      contentType: response.headers.get('Content-Type') ?? '',
      variant: response.headers.get('X-Bottega-Variant') ?? '',
      seconds: Number(response.headers.get('X-Bottega-Seconds') ?? NaN)
    };
  }

  invokeAsync(
    endpoint: string,
    body: string,
    options: Pick<IInvocationOptions, 'contentType' | 'inferenceId'> = {}
  ): Promise<IAsyncInvocation> {
    return requestAPI(
      `endpoints/${encodeURIComponent(endpoint)}/async-invocations`,
      this._settings,
      { method: 'POST', headers: invocationHeaders(options), body }
    );
  }

  async readObject(uri: string): Promise<string | null> {
    const [bucket = '', ...key] = uri.replace(/^s3:\/\//, '').split('/');
    try {
      const response = await fetchResponse(
        `objects/${encodeURIComponent(bucket)}/${encodeKey(key.join('/'))}`,
        this._settings
      );
      return await response.text();
    } catch (error) {
      if (error instanceof BottegaError && error.code === 'NoSuchKey') {
        return null;
      }
      throw error;
    }
  }

  listObjects(
    bucket: string,
    options: { prefix?: string; delimiter?: string; token?: string } = {}
  ): Promise<IObjectListing> {
    const query = URLExt.objectToQueryString({
      prefix: options.prefix ?? '',
      delimiter: options.delimiter ?? '',
      next: options.token ?? ''
    });
    return requestAPI(
      `objects/${encodeURIComponent(bucket)}${query}`,
      this._settings
    );
  }

  async listArchive(bucket: string, key: string): Promise<IArchiveMember[]> {
    const answer = await requestAPI<{ members: IArchiveMember[] }>(
      `archives/${encodeURIComponent(bucket)}/${encodeKey(key)}`,
      this._settings
    );
    return answer.members;
  }

  downloadUrl(bucket: string, key: string, member?: string): string {
    const kind = member === undefined ? 'objects' : 'archives';
    const query =
      member === undefined ? '' : `?member=${encodeURIComponent(member)}`;
    return (
      URLExt.join(
        this._settings.baseUrl,
        'bottega',
        kind,
        encodeURIComponent(bucket),
        encodeKey(key)
      ) + query
    );
  }

  artifactUrl(runId: string, path: string): string {
    return (
      URLExt.join(
        this._settings.baseUrl,
        'bottega',
        'runs',
        encodeURIComponent(runId),
        'artifacts'
      ) + `?path=${encodeURIComponent(path)}`
    );
  }

  async upload(bucket: string, key: string, file: Blob): Promise<string> {
    const answer = await requestAPI<{ uri: string }>(
      `objects/${encodeURIComponent(bucket)}/${encodeKey(key)}`,
      this._settings,
      { method: 'PUT', body: file }
    );
    return answer.uri;
  }

  previewFile(path: string, maxRows = 20): Promise<IPreviewDataResponse> {
    return this._post('files/preview', { path, max_rows: maxRows });
  }

  prepareChannel(request: IChannelRequest): Promise<IPreparedChannel> {
    return this._post('channels', request);
  }

  uploadSource(request: {
    path: string;
    source_dir?: string | null;
    prefix: string;
  }): Promise<{ program: string; uri: string }> {
    return this._post('sources', request);
  }

  async deploy(request: IDeployRequest): Promise<string> {
    const answer = await this._post<{ endpoint: string }>(
      'deployments',
      request
    );
    return answer.endpoint;
  }

  async checkModel(
    source: IModelSource,
    signal?: AbortSignal
  ): Promise<IModelFinding[]> {
    const answer = await this._post<ICheckModelResponse>(
      'model-checks',
      source,
      signal
    );
    return answer.Findings;
  }

  async register(request: IRegisterRequest): Promise<string> {
    const answer = await this._post<{ version: string }>(
      'registrations',
      request
    );
    return answer.version;
  }

  async runNotebook(request: {
    path: string;
    parameters: Record<string, unknown>;
    name?: string | null;
    instance_type?: string | null;
  }): Promise<string> {
    const answer = await this._post<{ job: string }>('notebook-jobs', request);
    return answer.job;
  }

  replay(
    job: string,
    folder: string,
    kind: ReplayedKind = 'Training'
  ): Promise<IReplayFolder> {
    return this._post('replays', { job, folder, kind });
  }

  collectNotebook(job: string): Promise<{ notebook: string; html: string }> {
    return this._post(`notebook-jobs/${encodeURIComponent(job)}/collect`, {});
  }

  private _post<T>(
    path: string,
    body: unknown,
    signal?: AbortSignal
  ): Promise<T> {
    return requestAPI<T>(path, this._settings, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal ? { signal } : {})
    });
  }

  private readonly _events: EventStream;
}

function invocationHeaders(
  options: IInvocationOptions
): Record<string, string> {
  const told: Array<[string, string | undefined]> = [
    ['Content-Type', options.contentType ?? 'text/csv'],
    ['Accept', options.accept ?? '*/*'],
    ['X-Bottega-Target-Variant', options.variant],
    ['X-Bottega-Target-Model', options.model],
    ['X-Bottega-Target-Container', options.container],
    ['X-Bottega-Inference-Component', options.component],
    ['X-Bottega-Inference-Id', options.inferenceId]
  ];
  return Object.fromEntries(
    told.filter((header): header is [string, string] => Boolean(header[1]))
  );
}

/** A key in a path: its slashes stay. */
function encodeKey(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}
