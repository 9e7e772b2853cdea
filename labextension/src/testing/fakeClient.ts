import { nullTranslator } from '@jupyterlab/translation';
import { DisposableDelegate } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import type { IBottegaClient as IClient, OperationName } from '../api/client';
import type {
  ConnectionStatus,
  IEventBatch,
  IEventStream
} from '../api/events';
import { BottegaError } from '../api/request';
import type { IOperations } from '../api/types';
import type { IStudioEvent } from '../api/types/studio';
import type { IBottega, IScreenFrame, IScreenProps } from '../tokens';

/** The bundle that leaves texts as they are. */
export const trans = nullTranslator.load('bottega');

/** An event stream that a test speaks through. */
export class FakeEvents implements IEventStream {
  status: ConnectionStatus = 'connected';
  readonly statusChanged: Signal<IEventStream, ConnectionStatus> = new Signal(
    this
  );
  readonly received: Signal<IEventStream, IEventBatch> = new Signal(this);

  /** Have these events happen. */
  happen(...events: Array<Partial<IStudioEvent>>): void {
    this.received.emit({
      events: events.map(event => ({
        Time: 0,
        Type: 'ResourceChanged' as const,
        ...event
      })),
      reset: false
    });
  }

  /** Say that events were lost. */
  lose(): void {
    this.received.emit({ events: [], reset: true });
  }
}

/** How a fake answers one operation: with a value, or by throwing. */
export type Answers = {
  [K in OperationName]?: (
    request: IOperations[K]['request']
  ) => IOperations[K]['response'] | Promise<IOperations[K]['response']>;
};

/** A client whose operations answer as the test says; what has no answer is refused. */
export class FakeClient implements IClient {
  constructor(readonly answers: Answers = {}) {}

  readonly events = new FakeEvents();
  /** What was called, in order. */
  readonly calls: Array<{ operation: string; request: unknown }> = [];

  async call<K extends OperationName>(
    operation: K,
    request: IOperations[K]['request']
  ): Promise<IOperations[K]['response']> {
    this.calls.push({ operation, request });
    const answer = this.answers[operation];
    if (!answer) {
      throw new BottegaError(
        'UnknownOperationException',
        `The test has no answer for ${operation}.`,
        400
      );
    }
    return await answer(request);
  }

  /** The requests of one operation. */
  requests<K extends OperationName>(
    operation: K
  ): Array<IOperations[K]['request']> {
    return this.calls
      .filter(call => call.operation === operation)
      .map(call => call.request as IOperations[K]['request']);
  }

  invoke: IClient['invoke'] = () => unanswered('invoke');
  invokeAsync: IClient['invokeAsync'] = () => unanswered('invokeAsync');
  readObject: IClient['readObject'] = () => unanswered('readObject');
  listObjects: IClient['listObjects'] = () => unanswered('listObjects');
  listArchive: IClient['listArchive'] = () => unanswered('listArchive');
  upload: IClient['upload'] = () => unanswered('upload');
  previewFile: IClient['previewFile'] = () => unanswered('previewFile');
  prepareChannel: IClient['prepareChannel'] = () =>
    unanswered('prepareChannel');
  uploadSource: IClient['uploadSource'] = () => unanswered('uploadSource');
  deploy: IClient['deploy'] = () => unanswered('deploy');
  checkModel: IClient['checkModel'] = () => unanswered('checkModel');
  register: IClient['register'] = () => unanswered('register');
  replay: IClient['replay'] = () => unanswered('replay');
  runNotebook: IClient['runNotebook'] = () => unanswered('runNotebook');
  collectNotebook: IClient['collectNotebook'] = () =>
    unanswered('collectNotebook');

  downloadUrl(bucket: string, key: string, member?: string): string {
    return `/bottega/objects/${bucket}/${key}${member ? `#${member}` : ''}`;
  }

  artifactUrl(runId: string, path: string): string {
    return `/bottega/runs/${runId}/artifacts?path=${path}`;
  }
}

function unanswered(name: string): Promise<never> {
  return Promise.reject(new Error(`The test has no answer for ${name}.`));
}

/** A tab that a test shows and hides. */
export class FakeFrame implements IScreenFrame {
  isVisible = true;
  readonly visibilityChanged: Signal<IScreenFrame, boolean> = new Signal(this);
  title = { label: '', status: '' };
  parameters: Record<string, string> = {};
  closed = false;

  setTitle(label: string, status = ''): void {
    this.title = { label, status };
  }

  setParameters(parameters: Readonly<Record<string, string>>): void {
    this.parameters = { ...this.parameters, ...parameters };
  }

  close(): void {
    this.closed = true;
  }

  show(visible: boolean): void {
    this.isVisible = visible;
    this.visibilityChanged.emit(visible);
  }
}

/** A shell that remembers what it was asked to do. */
export class FakeStudio implements IBottega {
  settings = {
    instanceType: 'ml.m5.large',
    notifyCompleted: true,
    notifyFailed: true,
    smoothing: 0
  };
  readonly settingsChanged: Signal<IBottega, IBottega['settings']> = new Signal(
    this
  );
  readonly sectionsChanged: Signal<IBottega, void> = new Signal(this);
  readonly sections: IBottega['sections'][number][] = [];
  readonly screens: Array<Parameters<IBottega['addScreen']>[0]> = [];
  readonly opened: string[] = [];
  readonly executed: Array<{ command: string; args: unknown }> = [];
  readonly notebooks: Array<{ code: string; title: string }> = [];

  addSection(section: IBottega['sections'][number]): DisposableDelegate {
    this.sections.push(section);
    return new DisposableDelegate(() => undefined);
  }

  addScreen(screen: Parameters<IBottega['addScreen']>[0]): DisposableDelegate {
    this.screens.push(screen);
    return new DisposableDelegate(() => undefined);
  }

  open(path: string): void {
    this.opened.push(path);
  }

  execute(command: string, args: unknown = {}): Promise<unknown> {
    this.executed.push({ command, args });
    return Promise.resolve();
  }

  openInNotebook(code: string, title: string): Promise<void> {
    this.notebooks.push({ code, title });
    return Promise.resolve();
  }
}

/** The properties of a screen over fakes; the fakes come along for the test to speak through. */
export function screenProps(
  answers: Answers,
  place: { name?: string; parameters?: Record<string, string> } = {}
): IScreenProps & {
  client: FakeClient;
  studio: FakeStudio;
  frame: FakeFrame;
} {
  return {
    client: new FakeClient(answers),
    studio: new FakeStudio(),
    frame: new FakeFrame(),
    trans,
    name: place.name ?? '',
    parameters: place.parameters ?? {}
  };
}
